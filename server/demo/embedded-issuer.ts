import { createHash, generateKeyPair, randomUUID, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, CompactSign, exportJWK, type JWK } from 'jose';

/** A confidential client that may ask for tokens of its own. */
export interface EmbeddedClient {
  id: string;
  secret: string;
  /** Realm roles of its service account. */
  roles: string[];
}

export interface EmbeddedIssuerOptions {
  /** The issuer as it stands in `iss`, without a slash at its end: `http://localhost:3000/auth/realms/Renku`. */
  url: string;
  clients?: EmbeddedClient[];
  /** Seconds. */
  tokenLifetime?: number;
}

interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKeyPem: string;
  jwk: JWK;
}

/** An OAuth error answer (RFC 6749, section 5.2). */
class TokenRefusal extends Error {
  constructor(
    readonly code: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type',
    description: string,
    readonly status = 400,
  ) {
    super(description);
  }
}

/** Bytes of a token request's body. */
const BODY_LIMIT = 64 * 1024;

/**
 * An OpenID issuer with Keycloak's paths and claims, for the demo and the tests: discovery, keys, and tokens
 * by client credentials. It keeps everything in memory and logs nobody in; `userToken` makes users' tokens.
 */
export class EmbeddedIssuer {
  /** How often each endpoint was asked. */
  readonly requests = { discovery: 0, certs: 0, token: 0 };
  readonly url: string;
  private readonly tokenLifetime: number;
  private readonly clients: Map<string, EmbeddedClient & { serviceAccountId: string }>;
  private published: JWK[] = [];

  private constructor(
    options: EmbeddedIssuerOptions,
    private current: SigningKey,
  ) {
    this.url = options.url;
    this.tokenLifetime = options.tokenLifetime ?? 300;
    this.clients = new Map(
      (options.clients ?? []).map((client) => [client.id, { ...client, serviceAccountId: randomUUID() }]),
    );
    this.published = [current.jwk];
  }

  static async create(options: EmbeddedIssuerOptions): Promise<EmbeddedIssuer> {
    return new EmbeddedIssuer(options, await newSigningKey());
  }

  get currentKid(): string {
    return this.current.kid;
  }

  get publicKeyPem(): string {
    return this.current.publicKeyPem;
  }

  /** Signs with a fresh key from now on; the older public keys leave the key set unless they are kept. */
  async rotateKeys({ keepOld = false }: { keepOld?: boolean } = {}): Promise<void> {
    this.current = await newSigningKey();
    this.published = [this.current.jwk, ...(keepOld ? this.published : [])];
  }

  /** An access token as Keycloak makes it for a user. A negative lifetime (s) makes an expired one. */
  userToken(user: {
    sub: string;
    username?: string;
    roles?: string[];
    lifetime?: number;
    /** Verified, unless `emailVerified` is false. */
    email?: string;
    emailVerified?: boolean;
    locale?: string;
  }): Promise<string> {
    const issuedAt = secondsNow();
    return this.sign({
      sub: user.sub,
      azp: 'renku-ui',
      sid: randomUUID(),
      iat: issuedAt,
      exp: issuedAt + (user.lifetime ?? this.tokenLifetime),
      realm_access: { roles: user.roles ?? [] },
      preferred_username: user.username ?? user.sub,
      ...(user.email !== undefined && { email: user.email, email_verified: user.emailVerified ?? true }),
      ...(user.locale !== undefined && { locale: user.locale }),
    });
  }

  /**
   * A token with a good one's claims and header, each overridden by what is given and left out where
   * that is undefined. `alg` may be any RSA algorithm; an HMAC, which is keyed with the public key as an attacker
   * would do; or `none` or undefined, which leaves the signature empty.
   */
  async sign(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
    const issuedAt = secondsNow();
    return this.signText(
      JSON.stringify({
        exp: issuedAt + this.tokenLifetime,
        iat: issuedAt,
        jti: randomUUID(),
        iss: this.url,
        aud: ['renku', 'account'],
        sub: randomUUID(),
        typ: 'Bearer',
        azp: 'renku-ui',
        realm_access: { roles: [] },
        scope: 'openid profile email',
        ...claims,
      }),
      header,
    );
  }

  /** The same for a payload that need be no claims. */
  async signText(payload: string, header: Record<string, unknown> = {}): Promise<string> {
    const fullHeader: Record<string, unknown> = {
      alg: 'RS256',
      typ: 'JWT',
      kid: this.current.kid,
      ...header,
    };
    const body = Buffer.from(payload);
    const { alg } = fullHeader;
    if (typeof alg !== 'string' || alg === 'none') {
      const head = Buffer.from(JSON.stringify(fullHeader));
      return `${head.toString('base64url')}.${body.toString('base64url')}.`;
    }
    const key = alg.startsWith('HS') ? Buffer.from(this.current.publicKeyPem) : this.current.privateKey;
    return new CompactSign(body).setProtectedHeader({ ...fullHeader, alg }).sign(key);
  }

  /** Answers a request to one of the issuer's endpoints; false, and nothing done, where it is to another path. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const base = new URL(this.url).pathname;
    switch (request.url?.split('?', 1)[0]) {
      case `${base}/.well-known/openid-configuration`:
        this.requests.discovery += 1;
        if (allows('GET', request, response)) answer(response, 200, this.discovery());
        return true;
      case `${base}/protocol/openid-connect/certs`:
        this.requests.certs += 1;
        if (allows('GET', request, response)) answer(response, 200, { keys: this.published });
        return true;
      case `${base}/protocol/openid-connect/token`:
        this.requests.token += 1;
        if (allows('POST', request, response)) await this.answerTokenRequest(request, response);
        return true;
      default:
        return false;
    }
  }

  private discovery(): Record<string, unknown> {
    const endpoints = `${this.url}/protocol/openid-connect`;
    return {
      issuer: this.url,
      jwks_uri: `${endpoints}/certs`,
      token_endpoint: `${endpoints}/token`,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      grant_types_supported: ['client_credentials'],
      response_types_supported: ['none'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
  }

  private async answerTokenRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      answer(response, 200, await this.clientToken(request));
    } catch (error) {
      // The caller hung up half way: there is nobody to answer.
      if (request.destroyed && !request.complete) return;
      if (!(error instanceof TokenRefusal)) throw error;
      if (error.status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="Renku"');
      // What is left of a body that is too long is not read.
      if (error.status === 413) response.setHeader('Connection', 'close');
      answer(response, error.status, { error: error.code, error_description: error.message });
    }
  }

  private async clientToken(request: IncomingMessage): Promise<Record<string, unknown>> {
    const form = await readForm(request);
    const grantType = form.get('grant_type');
    if (!grantType) throw new TokenRefusal('invalid_request', 'grant_type is missing');
    if (grantType !== 'client_credentials') {
      throw new TokenRefusal('unsupported_grant_type', 'Only client_credentials is supported');
    }
    const client = this.authenticate(credentials(request, form));
    const scope = 'profile email';
    const token = await this.sign({
      sub: client.serviceAccountId,
      azp: client.id,
      client_id: client.id,
      realm_access: { roles: client.roles },
      preferred_username: `service-account-${client.id}`,
      scope,
    });
    return {
      access_token: token,
      expires_in: this.tokenLifetime,
      refresh_expires_in: 0,
      token_type: 'Bearer',
      'not-before-policy': 0,
      scope,
    };
  }

  private authenticate({ id, secret }: { id: string; secret: string }): EmbeddedClient & {
    serviceAccountId: string;
  } {
    const client = this.clients.get(id);
    // An unknown client takes as long as a wrong secret.
    const matches = equalInConstantTime(secret, client?.secret ?? randomUUID());
    if (!client || !matches) {
      throw new TokenRefusal('invalid_client', 'Invalid client or Invalid client credentials', 401);
    }
    return client;
  }
}

async function newSigningKey(): Promise<SigningKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    privateKey,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: { kid, ...jwk, alg: 'RS256', use: 'sig' },
  };
}

function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}

function allows(method: string, request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method === method) return true;
  response.setHeader('Allow', method);
  answer(response, 405, { error: `Only ${method} is allowed here` });
  return false;
}

function answer(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  response
    .writeHead(status, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      Pragma: 'no-cache',
    })
    .end(JSON.stringify(body));
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new TokenRefusal('invalid_request', 'The body must be application/x-www-form-urlencoded');
  }
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop must not destroy the request: its connection carries the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT) {
      throw new TokenRefusal('invalid_request', `The body is longer than ${BODY_LIMIT} bytes`, 413);
    }
    chunks.push(chunk);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  if (new Set(form.keys()).size !== form.size) {
    throw new TokenRefusal('invalid_request', 'A parameter was sent more than once');
  }
  return form;
}

/** The client's id and secret, from the Basic header or from the form (RFC 6749, section 2.3.1). */
function credentials(request: IncomingMessage, form: URLSearchParams): { id: string; secret: string } {
  const header = request.headers.authorization;
  if (header === undefined) {
    return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
  }
  if (form.has('client_secret')) {
    throw new TokenRefusal('invalid_request', 'The client sent its secret in two ways');
  }
  const encoded = /^basic +([\w+/=-]+)$/i.exec(header)?.[1] ?? '';
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(/:(.*)/s);
  return { id: formDecoded(id), secret: formDecoded(secret) };
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    const refusal = new TokenRefusal('invalid_client', 'The client credentials are not form-encoded', 401);
    throw Object.assign(refusal, { cause });
  }
}

function equalInConstantTime(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
