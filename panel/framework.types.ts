import type { SessionAlertsElement } from './panel.types.js';

/** The element's own properties, as a framework sets them. */
export type SessionAlertsProperties = {
  [Name in Exclude<keyof SessionAlertsElement, keyof HTMLElement>]?: SessionAlertsElement[Name] | undefined;
};

/** The attributes that are no property's name, as markup has them. */
export interface SessionAlertsAttributes {
  'session-name'?: string | undefined;
  'session-href'?: string | undefined;
  'tab-count'?: boolean | '' | undefined;
  'desktop-notifications'?: boolean | '' | undefined;
  'push-worker'?: string | undefined;
  theme?: 'light' | 'dark' | undefined;
}
