import { SessionAlertsElement } from './element.js';

export * from './element.js';

// A page may load the module twice, from two addresses.
if (!customElements.get('session-alerts')) customElements.define('session-alerts', SessionAlertsElement);
