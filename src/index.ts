import { Alert } from './alerts/alert.entity.js';
import { Feed } from './alerts/feed.entity.js';
import { Reconciling } from './alerts/reconciling.entity.js';
import { Sightings } from './alerts/sightings.entity.js';
import { CreateSessionAlerts1763800000000 } from './migrations/1763800000000-create-session-alerts.js';
import { KeepSightings1795300000000 } from './migrations/1795300000000-keep-sightings.js';
import { FindHistoryBySession1795600000000 } from './migrations/1795600000000-find-history-by-session.js';
import { OneRowAnAlert1795700000000 } from './migrations/1795700000000-one-row-an-alert.js';
import { TakeTurnsReconciling1795800000000 } from './migrations/1795800000000-take-turns-reconciling.js';
import { NoteReporters1795900000000 } from './migrations/1795900000000-note-reporters.js';

export { AlertsModule } from './alerts.module.js';
export type {
  AlertmanagerOptions,
  AlertsModuleOptions,
  FeedOptions,
  HostAuthOptions,
  LiveOptions,
  ReconcileOptions,
  TokenAlgorithm,
  TokenAuthOptions,
  UpkeepOptions,
  UserDirectoryOptions,
} from './alerts.module-definition.js';
export type { AlertsUser } from './auth/alerts-user.js';
export { AlertsHealth } from './alerts-health.service.js';
export { AlertsService } from './alerts/alerts.service.js';
export type { AlertChange } from './alerts/alerts.service.js';
export { DatabaseUnavailableError } from './alerts/database-errors.js';
export { WritesFullError } from './alerts/shared-writes.js';
export type { AlertRow, CreateAlertRequest, ShownSeries } from './alerts/alerts.dto.js';
export type {
  AlertKind,
  FiringObservation,
  Observation,
  Outcome,
  ResolvedObservation,
} from './alerts/observation.js';
export { Alert, Feed, Reconciling, Sightings };
export { AlertsMetrics } from './metrics/alerts-metrics.service.js';
export { FeedHealth } from './upkeep/feed-health.service.js';
export type { UserDirectory } from './alerts/user-directory.js';
export type { ResolvedReason } from './alerts/alert-life.js';

/** For the host's DataSource, where it does not load entities by itself. */
export const alertsEntities = [Alert, Feed, Reconciling, Sightings];
/** For the host's DataSource: the module's tables, in the schema `session_alerts`. */
export const alertsMigrations = [
  CreateSessionAlerts1763800000000,
  KeepSightings1795300000000,
  FindHistoryBySession1795600000000,
  OneRowAnAlert1795700000000,
  TakeTurnsReconciling1795800000000,
  NoteReporters1795900000000,
];
