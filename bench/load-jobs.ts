import type { HostileCallers } from './hostile-requests.js';
import type { Kind } from './webhook-bodies.js';

export const WEBHOOKS = '/api/data/webhooks/alertmanager';
export const ALERTS = '/api/data/alerts';

/** A user who lists alerts. */
export interface User {
  id: string;
  token: string;
}

interface WebhookJob {
  /** The server, without a slash at its end. */
  url: string;
  webhookToken: string;
  connections: number;
  /** Alerts a webhook. */
  size: number;
  kind: Kind;
  /** The webhooks are about the batches from this one on. */
  firstBatch: number;
}

/** Posts webhooks over so many connections, each as soon as the one before is answered. */
export interface PostJob extends WebhookJob {
  do: 'post';
  /** So many come first, and are not counted. */
  warmUp: number;
  webhooks: number;
}

/** Lists each user's open alerts once, over so many connections. */
export interface ListJob {
  do: 'list';
  url: string;
  connections: number;
  users: User[];
  /** How many alerts each of them has. */
  alerts: number;
}

/** Posts so many webhooks a second, whether the server keeps up or not. */
export interface OverloadJob extends WebhookJob {
  do: 'overload';
  perSecond: number;
  seconds: number;
}

/** Lists a user's alerts, and posts a small webhook, every so many ms, until told to stop. */
export interface WatchJob extends Omit<WebhookJob, 'connections'> {
  do: 'watch';
  user: User;
  listEvery: number;
  /** None are posted where it is left out. */
  postEvery?: number;
}

/** Sends what hurts, in salvos, for so long. */
export interface HostileJob {
  do: 'hostile';
  url: string;
  callers: HostileCallers;
  /** Its place among the hostile kinds. */
  kind: number;
  seconds: number;
}

export type LoadJob = PostJob | ListJob | OverloadJob | WatchJob | HostileJob;

/** ms from sending to the whole answer. */
export interface Latencies {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

export interface ClosedLoopResult {
  /** ms from the first request to the last answer. */
  elapsed: number;
  latencies: Latencies | undefined;
}

export interface OverloadResult {
  /** ms from the first request to the last answer. */
  elapsed: number;
  accepted: Latencies | undefined;
  /** 503 */
  refused: Latencies | undefined;
  /** What else came, and how often. */
  others: Record<string, number>;
  /** Came due while no connection was free. */
  unsent: number;
}

export interface WatchResult {
  listed: Latencies | undefined;
  posted: Latencies | undefined;
  /** Answers other than 200, and how often they came. */
  failures: Record<string, number>;
}

export interface HostileResult {
  salvos: number;
  /** How many of each status came, or of what came instead of an answer. */
  answers: Record<string, number>;
}

export interface LoadResults {
  post: ClosedLoopResult;
  list: ClosedLoopResult;
  overload: OverloadResult;
  watch: WatchResult;
  hostile: HostileResult;
}

/** What the load process is told. */
export type LoadOrder = { order: 'prepare'; job: LoadJob } | { order: 'go' } | { order: 'stop' };

/** What it answers to the first two. */
export type LoadReply =
  { reply: 'prepared' } | { reply: 'done'; result: unknown } | { reply: 'failed'; message: string };
