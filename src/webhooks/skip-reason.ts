/** Why an alert of a webhook cannot be shown to anybody (rule 13). */
export type SkipReason =
  | 'not_an_object'
  | 'no_status'
  | 'no_user'
  | 'invalid_user'
  | 'no_session'
  | 'invalid_session'
  | 'no_title'
  | 'no_message'
  | 'too_many_labels'
  | 'datasource_no_data'
  | 'datasource_error'
  | 'watchdog_resolved';
