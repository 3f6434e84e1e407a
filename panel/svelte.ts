// Types alone: `<session-alerts>` in Svelte's markup. Svelte is the page's own.
import type { HTMLAttributes } from 'svelte/elements';
import type { SessionAlertsElement, SessionAlertsEventMap } from './element.js';
import type { SessionAlertsAttributes, SessionAlertsProperties } from './framework.types.js';

type SessionAlertsListeners = {
  [Name in keyof SessionAlertsEventMap as `on${Name}` | `on:${Name}`]?:
    ((event: SessionAlertsEventMap[Name]) => void) | undefined;
};

/** What `<session-alerts>` takes in markup. */
export type SessionAlertsProps = HTMLAttributes<SessionAlertsElement> &
  SessionAlertsProperties &
  SessionAlertsAttributes &
  SessionAlertsListeners;

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'session-alerts': SessionAlertsProps;
  }
}
