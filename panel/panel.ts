import type { ChangeDetail, DismissDetail, SessionAlertsElement as Element } from './panel.types.js';
import { SessionAlerts } from './session-alerts.element.js';

export type { GetToken } from './access-token.js';
export type { Alert } from './alert.js';
export type { ChangeDetail, DismissDetail, ShownState } from './panel.types.js';
export type { PluralText, SessionAlertsTexts, SessionAlertsTextsOverride } from './texts.js';

export type SessionAlertsElement = Element;
/** The class behind `<session-alerts>`, which is defined when this module is loaded. */
export const SessionAlertsElement: new () => SessionAlertsElement = SessionAlerts;

// A page may load the module twice, from two addresses.
if (!customElements.get('session-alerts')) customElements.define('session-alerts', SessionAlerts);

declare global {
  interface HTMLElementTagNameMap {
    'session-alerts': SessionAlertsElement;
  }
  interface GlobalEventHandlersEventMap {
    'session-alerts-change': CustomEvent<ChangeDetail>;
    'session-alerts-dismiss': CustomEvent<DismissDetail>;
  }
}
