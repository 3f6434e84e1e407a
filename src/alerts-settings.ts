import { TOKEN_ALGORITHMS } from './alerts.module-definition.js';
import type { AlertsModuleOptions, HostAuthOptions, TokenAuthOptions } from './alerts.module-definition.js';

/** The options with their defaults filled in. */
export interface AlertsSettings {
  auth: HostAuthOptions | TokenSettings;
  webhookRole: string;
  adminRole: string;
}
export type TokenSettings = Required<Omit<TokenAuthOptions, 'jwksUri'>> & Pick<TokenAuthOptions, 'jwksUri'>;

export const ALERTS_SETTINGS = Symbol('ALERTS_SETTINGS');

/**
 * Checks the options and fills in the defaults.
 * @throws Error with a sentence that says what to set
 */
export function alertsSettings(options: AlertsModuleOptions): AlertsSettings {
  const { auth, webhookRole = 'alertmanager-webhook', adminRole = 'renku-admin' } = options;
  if (!webhookRole) throw new Error('AlertsModule: webhookRole must not be empty');
  if (!adminRole) throw new Error('AlertsModule: adminRole must not be empty');
  return { auth: 'guard' in auth ? auth : tokenSettings(auth), webhookRole, adminRole };
}

function tokenSettings(auth: Partial<TokenAuthOptions>): TokenSettings {
  const { issuer, jwksUri, audience = 'renku', algorithms = ['RS256'] } = auth;
  if (!isHttpUrl(issuer)) {
    throw new Error(
      "AlertsModule: set auth.issuer to your issuer's address, e.g. https://host/auth/realms/Renku",
    );
  }
  if (jwksUri !== undefined && !isHttpUrl(jwksUri)) {
    throw new Error("AlertsModule: auth.jwksUri must be the http(s) address of the issuer's key set");
  }
  if (!audience) throw new Error('AlertsModule: auth.audience must not be empty');
  const unknown = algorithms.filter((algorithm) => !TOKEN_ALGORITHMS.includes(algorithm));
  if (algorithms.length === 0 || unknown.length > 0) {
    throw new Error(
      `AlertsModule: auth.algorithms must be some of ${TOKEN_ALGORITHMS.join(', ')}; got ${unknown.join(', ') || 'none'}`,
    );
  }
  return { issuer, audience, algorithms, ...(jwksUri !== undefined && { jwksUri }) };
}

export function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/\S+$/.test(value) && URL.canParse(value);
}
