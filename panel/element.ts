import type { SessionAlertsElement as Element, SessionAlertsEventMap } from './panel.types.js';
import { SessionAlerts } from './session-alerts.element.js';

export type { GetToken } from './access-token.js';
export type { Alert } from './alert.js';
export { addLanguage } from './languages.js';
export type { LanguageTexts } from './languages.js';
export type {
  ChangeDetail,
  DismissDetail,
  ProblemDetail,
  SessionAlertsEventMap,
  ShownState,
} from './panel.types.js';
export type { PluralText, SessionAlertsTexts, SessionAlertsTextsOverride } from './texts.js';

export type SessionAlertsElement = Element;
/** The class behind `<session-alerts>`. `session-alerts-panel` defines it when loaded, this module leaves that to you. */
export const SessionAlertsElement: new () => SessionAlertsElement = SessionAlerts;

declare global {
  interface HTMLElementTagNameMap {
    'session-alerts': SessionAlertsElement;
  }
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- only an interface merges with the browser's
  interface GlobalEventHandlersEventMap extends SessionAlertsEventMap {}
}
