/**
 * Packages that a host may do without. A file of CommonJS in either build, as nothing but `require` asks for a package
 * while a module is evaluated, and finds it from here; each by its name and in a `try` of its own, by which webpack sees
 * that it may be missing.
 */

/* eslint-disable @typescript-eslint/no-require-imports */

/** What describes an API as OpenAPI. */
export type Swagger = typeof import('@nestjs/swagger');

/** What counts. */
export type PromClient = typeof import('prom-client');

/** What traces requests through services. */
export type OpenTelemetry = typeof import('@opentelemetry/api');

/** What sends mail. */
export type Nodemailer = typeof import('nodemailer');

/** What is used of what encrypts for browsers, which brings no types. */
export interface WebPush {
  generateRequestDetails(
    subscription: { endpoint: string; keys: { p256dh: string; auth: string } },
    payload: string,
    options: {
      vapidDetails: { subject: string; publicKey: string; privateKey: string };
      TTL: number;
      urgency: string;
      topic: string;
    },
  ): { headers: Record<string, string | number>; body: Uint8Array<ArrayBuffer> };
}

export const swagger = loadSwagger();
export const promClient = loadPromClient();
export const openTelemetry = loadOpenTelemetry();
export const nodemailer = loadNodemailer();
export const webPush = loadWebPush();

function loadSwagger(): Swagger | undefined {
  try {
    return require('@nestjs/swagger') as Swagger;
  } catch (error) {
    if (isAbsent('@nestjs/swagger', error)) return undefined;
    throw error;
  }
}

function loadPromClient(): PromClient | undefined {
  try {
    return require('prom-client') as PromClient;
  } catch (error) {
    if (isAbsent('prom-client', error)) return undefined;
    throw error;
  }
}

function loadOpenTelemetry(): OpenTelemetry | undefined {
  try {
    return require('@opentelemetry/api') as OpenTelemetry;
  } catch (error) {
    if (isAbsent('@opentelemetry/api', error)) return undefined;
    throw error;
  }
}

function loadNodemailer(): Nodemailer | undefined {
  try {
    return require('nodemailer') as Nodemailer;
  } catch (error) {
    if (isAbsent('nodemailer', error)) return undefined;
    throw error;
  }
}

function loadWebPush(): WebPush | undefined {
  try {
    return require('web-push') as WebPush;
  } catch (error) {
    if (isAbsent('web-push', error)) return undefined;
    throw error;
  }
}

/** Rather than broken, which is to be heard. */
function isAbsent(name: string, error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  // Jest's own module loader requires no ES modules; its tests do without.
  if (code === 'ERR_REQUIRE_ESM') return true;
  return code === 'MODULE_NOT_FOUND' && message.startsWith(`Cannot find module '${name}'`);
}
