export { AlertsModule } from './alerts.module.js';
export type {
  AlertmanagerOptions,
  AlertsModuleAsyncOptions,
  AlertsModuleExtras,
  AlertsModuleOptions,
  AlertsModuleRootOptions,
  AlertsOptionsFactory,
  DeliveryOptions,
  EmailOptions,
  FeedOptions,
  GrafanaOptions,
  HostAuthOptions,
  LiveOptions,
  MetricsRegistry,
  ReconcileOptions,
  TokenAlgorithm,
  TokenAuthOptions,
  UpkeepOptions,
  UserDirectoryOptions,
  WebhookChannelOptions,
  WebPushOptions,
} from './options/module-options.js';
export type { AlertsCaller } from './auth/alerts-caller.js';
export type { AlertsUser } from './options/alerts-user.js';
export { AlertsHealth } from './health/alerts-health.service.js';
export type { Hearing } from './database/change-listener.service.js';
export type { AlertsHealthReport } from './health/alerts-health.service.js';
export type { ReadsReport } from './database/read-database.service.js';
export { ErrorResponse } from './http/error-response.dto.js';
export { ErrorResponseFilter } from './http/error-response.filter.js';
export { TOKEN_ALGORITHMS } from './options/module-options.js';
export { AlertChangesController } from './alerts/alert-changes.controller.js';
export { AlertsController } from './alerts/alerts.controller.js';
export { AlertStreamController } from './live/alert-stream.controller.js';
export { FeedController } from './feed/feed.controller.js';
export { GrafanaWebhooksController } from './webhooks/grafana/grafana-webhooks.controller.js';
export { WebhooksController } from './webhooks/webhooks.controller.js';
export { AlertsService } from './alerts/alerts.service.js';
export type { AlertChange } from './alerts/alerts.service.js';
export type { OpenList } from './alerts/alerts.repository.js';
export { isAlertsEndpoint } from './http/alerts-endpoint.decorator.js';
export { DatabaseUnavailableError } from './database/database-errors.js';
export { WritesFullError } from './alerts/shared-writes.js';
export type { AlertRow, CreateAlertRequest, ShownSeries } from './alerts/alerts.dto.js';
export type {
  AlertKind,
  FiringObservation,
  IgnoredReason,
  Observation,
  Outcome,
  ResolvedObservation,
} from './alerts/observation.js';
export { Alert } from './alerts/alert.entity.js';
export { Sightings } from './alerts/sightings.entity.js';
export { Feed } from './feed/feed.entity.js';
export {
  Delivery,
  DeliveryTarget,
  Message,
  Mute,
  OpenPage,
  StoredPreferences,
} from './delivery/delivery.entities.js';
export { MessageRefusedError, RetryLaterError, TargetGoneError } from './delivery/alert-channel.js';
export type { AlertChannel, AlertMessage, ToldAlert } from './delivery/alert-channel.js';
export type { Transition } from './delivery/delivery-rules.js';
export { PreferencesController } from './delivery/preferences.controller.js';
export { UnsubscribeController } from './delivery/unsubscribe.controller.js';
export { Reconciling } from './webhooks/alertmanager/reconciling.entity.js';
export { alertsEntities, alertsMigrations } from './migrations/tables.js';
export { AlertsMetrics } from './metrics/alerts-metrics.service.js';
export { FeedHealth } from './feed/feed-health.service.js';
export type { FeedResponse } from './feed/feed.dto.js';
export type { UserDirectory } from './options/user-directory.js';
export type { ResolvedReason } from './alerts/alert-life.js';
