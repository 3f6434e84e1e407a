/** What a user can do about an alert: the words of a button, and where it leads. */
export interface Action {
  label: string;
  url: string;
}

/** None unless there are both. */
export function actionOf(label: string | null, url: string | null): Action | undefined {
  return label !== null && url !== null ? { label, url } : undefined;
}
