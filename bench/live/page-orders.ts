import type { User } from '../load-jobs.js';

/** Connects, and asks for the stream, so many pages; each stays until `close`. */
export interface OpenOrder {
  order: 'open';
  /** The server, without a slash at its end. */
  url: string;
  users: User[];
}

/** Connects pages that poll; each stays until `close`. */
export interface ConnectOrder {
  order: 'connect';
  url: string;
  users: User[];
}

/** Posts webhooks of one alert, one after the other, each about another user with a stream. */
export interface SingleOrder {
  order: 'single';
  webhookToken: string;
  webhooks: number;
}

/** Posts a webhook that changes one alert of each of so many users with a stream, several times. */
export interface BatchOrder {
  order: 'batch';
  webhookToken: string;
  users: number;
  /** Counted; one more goes before them and opens the alerts. */
  repetitions: number;
}

/** Keeps the pages as they are for so long: streams that wait, or polls; and somebody gets an alert now and then. */
export interface StayOrder {
  order: 'stay';
  webhookToken: string;
  seconds: number;
  /** ms between two alerts. */
  alertEvery: number;
  /** How the pages that poll do so. */
  polling?: Polling;
}

export interface Polling {
  /** ms between two polls of a page. */
  every: number;
  /** Whether a page says what it has, by `If-None-Match`. */
  isConditional: boolean;
}

/** Each page that polls asks once, a few at a time. */
export interface AskOrder {
  order: 'ask';
  isConditional: boolean;
}

export interface CloseOrder {
  order: 'close';
}

export type PageOrder =
  OpenOrder | ConnectOrder | SingleOrder | BatchOrder | StayOrder | AskOrder | CloseOrder;

/** When the event was whole in the page (ms), of each webhook. */
export interface Arrivals {
  sinceSent: number[];
  /** Below 0 where the event came first. */
  sinceAnswered: number[];
}

/** How often each status came. */
export type Statuses = Record<number, number>;

export interface PageResults {
  open: undefined;
  connect: undefined;
  single: Arrivals;
  /** Of the page that got it last. */
  batch: Arrivals;
  stay: Statuses;
  ask: Statuses;
  close: undefined;
}

export type PageReply = { result: unknown } | { failure: string };
