// Types alone: `<session-alerts>` in Vue's templates. Vue is the page's own.
import type { EmitFn, HTMLAttributes, PublicProps } from 'vue';
import type { SessionAlertsElement, SessionAlertsEventMap } from './element.js';
import type { SessionAlertsAttributes, SessionAlertsProperties } from './framework.types.js';

/** `<session-alerts>` as Vue's compilers look at a component. */
export type SessionAlertsComponent = new () => SessionAlertsElement & {
  $props: SessionAlertsProperties & SessionAlertsAttributes & HTMLAttributes & PublicProps;
  $emit: EmitFn<{ [Name in keyof SessionAlertsEventMap]: (event: SessionAlertsEventMap[Name]) => void }>;
};

declare module 'vue' {
  interface GlobalComponents {
    'session-alerts': SessionAlertsComponent;
  }
}
