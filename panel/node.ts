import type * as panel from './element.js';

/** What Node gets for the class, as it has no elements: page code that is drawn on a server can name it, and extend it. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- there is nothing that it could do
export const SessionAlertsElement = class {} as typeof panel.SessionAlertsElement;

/** There is nothing to speak to. */
export const addLanguage: typeof panel.addLanguage = () => undefined;
