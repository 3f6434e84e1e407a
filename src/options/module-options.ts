import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CanActivate, ConfigurableModuleAsyncOptions, Type } from '@nestjs/common';
import type { AlertsUser } from './alerts-user.js';
import type { UserDirectory } from './user-directory.js';

/** Signature algorithms that a token may have: asymmetric only. */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** Callers are known by JWT access tokens of one issuer (Keycloak). */
export interface TokenAuthOptions {
  /** The issuer, exactly as the tokens' `iss` says it, e.g. `https://host/auth/realms/Renku`. */
  issuer: string;
  /** Where the issuer's keys are (RFC 7517). Default: found by OpenID Connect discovery. */
  jwksUri?: string;
  /** What `aud` must contain. Default: `renku`. */
  audience?: string;
  /** Signature algorithms that are accepted. Default: `['RS256']`. */
  algorithms?: TokenAlgorithm[];
}

/** Callers are known by the host's own guard. */
export interface HostAuthOptions {
  /** The host's guard; it refuses those whom it does not know. */
  guard: Type<CanActivate>;
  /** Reads who calls from a request that the guard let pass. Default: `request.user`. */
  user?: (request: unknown) => AlertsUser | undefined | Promise<AlertsUser | undefined>;
}

/** When alerts are closed and deleted without anybody asking. All durations in seconds, from 1 to 100 years. */
export interface UpkeepOptions {
  /** An alert that nothing has refreshed for so long is closed: its resolve was lost. Default: 8100 (2 h 15 min). */
  expireAfter?: number;
  /** An event (label `alert_kind: event`) is closed so long after it was last seen. Default: 86400 (24 h). */
  eventTtl?: number;
  /** Closed alerts are deleted after so long. Default: 7776000 (90 days). */
  retention?: number;
  /** How often to look. Default: 30. */
  interval?: number;
}

/** An Alertmanager whose own list of alerts is compared with ours. */
export interface AlertmanagerOptions {
  /** Its address, without `/api/v2`: what `--web.external-url` says. */
  url: string;
  bearerToken?: string;
  basicAuth?: { username: string; password: string };
}

/** Mending what webhooks missed. */
export interface ReconcileOptions {
  /** All Alertmanagers that may know of an alert; an alert is gone when none of them lists it. */
  alertmanagers: AlertmanagerOptions[];
  /** Which of their alerts are for us, in Alertmanager's matcher syntax. Default: `['purpose="renku-session"']`. */
  filter?: string[];
  /**
   * The receivers by which Alertmanager posts here: a regular expression of Go's that matches the whole name, such as
   * `renku-webhook`. Only what Alertmanager would send to one of them is opened. Default: all receivers, which opens
   * also what is routed elsewhere.
   */
  receiver?: string;
  /** How often to compare. Seconds, from 1 to 100 years, as below. Default: 60. */
  interval?: number;
  /**
   * Nothing is closed on the word of an Alertmanager that started less than so many seconds ago: Prometheus has
   * not told it everything yet. Default: 300.
   */
  settleTime?: number;
}

/** Prometheus's always-firing watchdog alert, routed here, shows that alerts can reach us. */
export interface FeedOptions {
  /** Its `alertname`. Default: `Watchdog`. */
  alertname?: string;
  /** Seconds, from 1 to 100 years, without it after which the feed counts as stale. Default: 600. */
  staleAfter?: number;
}

/** Grafana Alerting, which may sign what it posts instead of fetching a token. */
export interface GrafanaOptions {
  /**
   * The secret of its contact point's HMAC signature, of at least 16 characters; a signature has to come with its
   * timestamp. Default: none, and it posts with a token like Alertmanager.
   */
  secret?: string;
}

/** Pages that are sent every change (`GET /alerts/stream`). */
export interface LiveOptions {
  /** How many a process serves. Default: 20000. */
  streams?: number;
  /** How many of them one user may have. Default: 20. */
  streamsPerUser?: number;
}

/** Mail by SMTP (RFC 5321); needs the package nodemailer. */
export interface EmailOptions {
  /**
   * The server and who we are to it: `smtp://user:password@host:587`, which has to speak STARTTLS, or `smtps://…:465`.
   * Only to a server on this machine mail goes without TLS.
   */
  server: string;
  /** From whom mail comes: `alerts@example.org`, or `Session alerts <alerts@example.org>`. */
  from: string;
  /** Certificates (PEM) that vouch for the server, besides those that Node knows. Default: none. */
  ca?: string;
}

/** Notices of the browser where no page is open (RFC 8030); needs the package web-push. */
export interface WebPushOptions {
  /** Whom push services may write to about us: a real `mailto:` or `https:` address. */
  subject: string;
  /** The keys by which browsers know us (VAPID, RFC 8292), base64url: `session-alerts push keys` makes them. */
  publicKey: string;
  privateKey: string;
  /** Hosts of push services besides those of the browsers' makers; `*.` before one stands for all below it. */
  services?: string[];
}

/** One address that is told of everybody's alerts, for a bridge to whatever people read. */
export interface WebhookChannelOptions {
  /** Its http(s) address. */
  url: string;
  /** `whsec_` and at least 24 bytes as base64, by which it knows us (Standard Webhooks). */
  secret: string;
  /** What is less grave is not told. Default: `info`, everything. */
  severity?: 'critical' | 'error' | 'warning' | 'info';
}

/** What is known here of an `AlertChannel`, which knows what an alert is. */
export interface HostChannel {
  readonly name: string;
  send(message: never, signal: AbortSignal): Promise<void>;
}

/** Telling people outside of the page; each of them says where, and nobody is told who has said nothing. */
export interface DeliveryOptions {
  /** How long (s) somebody who has a page open may take to see an alert before they are told elsewhere. Default: 120. */
  grace?: number;
  /** Messages that one person is sent in an hour; what else there is waits, and comes as one. Default: 20. */
  perHour?: number;
  /** Where the page of a session is: `https://host/sessions/{session}`. Default: messages link nowhere. */
  sessionUrl?: string;
  /** Where this API is for people outside, with its prefix: `https://host/api/data`. Mail needs it, to be turned off. */
  publicUrl?: string;
  email?: EmailOptions;
  webPush?: WebPushOptions;
  webhook?: WebhookChannelOptions;
  /** Ways of the host's own, made with its providers. */
  channels?: Type<HostChannel>[];
}

/** Which user ids exist, for a host that knows; alerts for others are skipped. */
export interface UserDirectoryOptions {
  directory: Type<UserDirectory>;
  /**
   * What to do while the directory fails: `open` stores all alerts, `closed` answers 503, so that
   * Alertmanager sends again. Default: `open`.
   */
  onFailure?: 'open' | 'closed';
}

/** What is used of prom-client's `Registry`, whose types a host without prom-client has not. */
export interface MetricsRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  getSingleMetric(name: string): object | undefined;
  registerMetric(metric: object): void;
  removeSingleMetric(name: string): void;
}

/** What is set, whoever says it: `forRoot`, or what the factory of `forRootAsync` makes. */
export interface AlertsModuleOptions {
  /** How callers are known. */
  auth: TokenAuthOptions | HostAuthOptions;
  /** Role that may post webhooks. Default: `alertmanager-webhook`. */
  webhookRole?: string;
  /** Role that may create and resolve anybody's alerts, and post webhooks. Default: `renku-admin`. */
  adminRole?: string;
  upkeep?: UpkeepOptions;
  reconcile?: ReconcileOptions;
  feed?: FeedOptions;
  live?: LiveOptions;
  grafana?: GrafanaOptions;
  users?: UserDirectoryOptions;
  delivery?: DeliveryOptions;
  /**
   * Whether this process migrates the module's tables at boot, before anything uses them: those who start together wait
   * for the first. Default: whether the DataSource has `synchronize`, which leaves these tables alone.
   */
  migrate?: boolean;
  /** prom-client's registry to put the metrics into; needs prom-client. Default: one of the module's own. */
  metricsRegistry?: MetricsRegistry;
}

/** What shapes the module itself: said among the options of `forRoot`, and beside `useFactory` in `forRootAsync`. */
export interface AlertsModuleExtras {
  /** Name of the host's TypeORM DataSource. Default: the unnamed one. */
  dataSource?: string;
  /**
   * Name of another TypeORM DataSource of the host's, of the same database, each of whose connections is one to PostgreSQL
   * itself: where those of `dataSource` go through a pooler that shares them between transactions. Default: `dataSource`.
   */
  directDataSource?: string;
  /**
   * Name of another DataSource of the host's, whose address leads to hot standbys of the same database: what users are
   * listed is read there, where they have replayed all that the primary had. It may be registered with
   * `manualInitialization`, so that the application starts without it; the module connects it. Default: the primary serves.
   */
  readDataSource?: string;
  /** Whether other modules get `AlertsService` and what else is exported without importing the module. Default: false. */
  isGlobal?: boolean;
  /**
   * What every handler of the module carries besides, such as the host's `Public()`, by which its global guards let the
   * module's own decide who may call. Default: nothing.
   */
  decorators?: MethodDecorator[];
  /** Whether this process takes webhooks. Default: true. */
  webhooks?: boolean;
}

/** Parts that this process leaves out, where what they are set to comes from a factory. */
export interface AlertsModuleParts {
  /** Whether this process sends pages every change, for which it listens on a connection. Default: true. */
  live?: boolean;
  /** Whether this process does the jobs: upkeep and reconciling. Default: true. */
  upkeep?: boolean;
}

/** What `AlertsModule.forRoot` takes. */
export interface AlertsModuleRootOptions
  extends Omit<AlertsModuleOptions, 'live' | 'upkeep'>, AlertsModuleExtras {
  /** `false` leaves the part out. */
  live?: LiveOptions | boolean;
  /** `false` leaves the part out, and reconciling with it. */
  upkeep?: UpkeepOptions | boolean;
}

/** A host's class that makes the options, for `useClass` and `useExisting`. */
export interface AlertsOptionsFactory {
  create(): AlertsModuleOptions | Promise<AlertsModuleOptions>;
}

/** What `AlertsModule.forRootAsync` takes: one of `useFactory`, `useClass` and `useExisting`. */
export interface AlertsModuleAsyncOptions
  extends ConfigurableModuleAsyncOptions<AlertsModuleOptions>, AlertsModuleExtras, AlertsModuleParts {}

/** Injection token of the host's TypeORM DataSource. */
export const ALERTS_DATA_SOURCE = Symbol('ALERTS_DATA_SOURCE');

/** Injection token of the one whose connections nobody shares; the same where there is no other. */
export const ALERTS_DIRECT_DATA_SOURCE = Symbol('ALERTS_DIRECT_DATA_SOURCE');
/** Injection token of the one for reading; `undefined` where none is named. */
export const ALERTS_READ_DATA_SOURCE = Symbol('ALERTS_READ_DATA_SOURCE');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<AlertsModuleOptions>().setClassMethodName('forRoot').build();
