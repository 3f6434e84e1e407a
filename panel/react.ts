/* eslint-disable @typescript-eslint/no-namespace -- JSX is one */
// Types alone: `<session-alerts>` in JSX. React is the page's own.
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { SessionAlertsElement, SessionAlertsEventMap } from './element.js';
import type { SessionAlertsAttributes, SessionAlertsProperties } from './framework.types.js';

/** The events as React 19 takes them; before it, listen to them in an effect. */
type SessionAlertsListeners = {
  [Name in keyof SessionAlertsEventMap as `on${Name}`]?:
    ((event: SessionAlertsEventMap[Name]) => void) | undefined;
};

/** What `<session-alerts>` takes in JSX. React 19 sets properties; before it, all but attributes is set by a `ref`. */
export type SessionAlertsProps = DetailedHTMLProps<
  HTMLAttributes<SessionAlertsElement>,
  SessionAlertsElement
> &
  SessionAlertsProperties &
  SessionAlertsAttributes &
  SessionAlertsListeners & { class?: string | undefined };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'session-alerts': SessionAlertsProps;
    }
  }
}

// Where React is older than 18.2.6, or JSX is compiled the classic way.
declare global {
  namespace JSX {
    interface IntrinsicElements {
      'session-alerts': SessionAlertsProps;
    }
  }
}
