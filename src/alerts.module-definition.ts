import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CanActivate, Type } from '@nestjs/common';
import type { AlertsUser } from './auth/alerts-user.js';

/** Signature algorithms that a token may have: asymmetric only. */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** Callers are known by JWT access tokens of one issuer (Keycloak). */
export interface TokenAuthOptions {
  /** The issuer, exactly as the tokens' `iss` says it, e.g. `https://host/auth/realms/Renku`. */
  issuer: string;
  /** Where the issuer's keys are (RFC 7517). Default: found by OpenID Connect discovery. */
  jwksUri?: string;
  /** What `aud` must contain. Default: `renku`. */
  audience?: string;
  /** Signature algorithms that are accepted. Default: `['RS256']`. */
  algorithms?: TokenAlgorithm[];
}

/** Callers are known by the host's own guard. */
export interface HostAuthOptions {
  /** The host's guard; it refuses those whom it does not know. */
  guard: Type<CanActivate>;
  /** Reads who calls from a request that the guard let pass. Default: `request.user`. */
  user?: (request: unknown) => AlertsUser | undefined;
}

/** What `AlertsModule.forRoot` and `forRootAsync` take. */
export interface AlertsModuleOptions {
  /** How callers are known. */
  auth: TokenAuthOptions | HostAuthOptions;
  /** Role that may post webhooks. Default: `alertmanager-webhook`. */
  webhookRole?: string;
  /** Role that may create and resolve anybody's alerts, and post webhooks. Default: `renku-admin`. */
  adminRole?: string;
}

/** What is said beside the options, because it shapes the module itself. */
export interface AlertsModuleExtras {
  /** Name of the host's TypeORM DataSource. Default: the unnamed one. */
  dataSource?: string;
}

/** Injection token of the host's TypeORM DataSource. */
export const ALERTS_DATA_SOURCE = Symbol('ALERTS_DATA_SOURCE');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<AlertsModuleOptions>()
    .setClassMethodName('forRoot')
    .setExtras<AlertsModuleExtras>({})
    .build();
