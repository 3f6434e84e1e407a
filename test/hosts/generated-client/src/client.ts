import type { components, operations, paths } from './session-alerts.js';

/** What Renku's own clients hold an alert and an error for. */
interface RenkusAlert {
  id: string;
  title: string;
  message: string;
  event_type: string;
  user_id: string;
  session_name?: string;
  creation_date: string;
  resolved_date?: string | null;
}
interface RenkusError {
  error: { code: number; message: string; detail?: string; trace_id?: string };
}
interface RenkusNewAlert {
  title: string;
  message: string;
  event_type: string;
  user_id: string;
  session_name?: string;
}
interface RenkusPatch {
  resolved?: boolean;
}

type Json<Answer extends { content: { 'application/json': unknown } }> =
  Answer['content']['application/json'];
type Listed = Json<paths['/alerts']['get']['responses'][200]>;
type Created = Json<paths['/alerts']['post']['responses'][201]>;
type Updated = Json<paths['/alerts/{id}']['patch']['responses'][200]>;
type Failed = Json<paths['/alerts']['get']['responses']['default']>;
type Posted = NonNullable<paths['/alerts']['post']['requestBody']>['content']['application/json'];
type Patched = NonNullable<paths['/alerts/{id}']['patch']['requestBody']>['content']['application/json'];

declare const listed: Listed, created: Created, updated: Updated, failed: Failed;
declare const posted: RenkusNewAlert, patched: RenkusPatch;
export const alerts: RenkusAlert[] = [...listed, created, updated];
export const error: RenkusError = failed;
export const bodies: [Posted, Patched] = [posted, patched];
export const nothing: Patched = {};
export const query: paths['/alerts']['get']['parameters']['query'] = {
  session_name: 'a',
  status: 'resolved',
  limit: 5,
};
export const reason: 'manual' | 'dismissed' | undefined =
  updated.resolved_reason === 'manual' || updated.resolved_reason === 'dismissed'
    ? updated.resolved_reason
    : undefined;
export const count: number = (listed[0]?.series_count ?? 0) + failed.error.code;
// @ts-expect-error there is no such field
export const unknown = updated.resolved_at;
// @ts-expect-error a title is needed
export const untitled: Posted = { message: 'a', event_type: 'b', user_id: 'c' };
// @ts-expect-error there is no such status
export const closed: typeof query = { status: 'closed' };
export type { components, operations };
