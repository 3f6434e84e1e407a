import { createDecipheriv, createECDH, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import type { ECDH } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importJWK, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { selfSignedCertificate, trust } from './certificate.js';

/** What a browser was sent, as it reads it. */
export interface Push {
  browser: PushedBrowser;
  headers: IncomingHttpHeaders;
  /** Bytes of the request's body. */
  size: number;
  /** What its text says, as it is, and read. */
  text: string;
  payload: { id: string; title: string; body: string; tag: string; url?: string; alerts: number } & Record<
    string,
    unknown
  >;
  /** Of the token by which the sender says who it is. */
  claims: JWTPayload;
}

/** What a push service answers; 201 where nothing is said. With status 0 it breaks off. */
export interface PushAnswer {
  status: number;
  headers?: Record<string, string>;
}

/** A browser that has subscribed (RFC 8291). */
export class PushedBrowser {
  private readonly pair: ECDH = createECDH('prime256v1');
  private readonly auth = randomBytes(16);
  readonly path = `/push/${randomUUID()}`;
  /** What the next pushes to it are answered. */
  answers: PushAnswer[] = [];

  constructor(private readonly origin: string) {
    this.pair.generateKeys();
  }

  /** As `PushSubscription.toJSON()` says it. */
  get subscription(): { endpoint: string; keys: { p256dh: string; auth: string } } {
    return {
      endpoint: this.origin + this.path,
      keys: { p256dh: this.pair.getPublicKey('base64url'), auth: this.auth.toString('base64url') },
    };
  }

  /** Decrypts a body of one record (RFC 8188), encrypted for this browser (RFC 8291). */
  decrypt(body: Buffer): string {
    const [salt, idLength] = [body.subarray(0, 16), body[20]!];
    const sendersKey = body.subarray(21, 21 + idLength);
    const record = body.subarray(21 + idLength);
    expect(record.length).toBeLessThanOrEqual(body.readUInt32BE(16));
    const secret = this.pair.computeSecret(sendersKey);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.pair.getPublicKey(), sendersKey]);
    const keyMaterial = Buffer.from(hkdfSync('sha256', secret, this.auth, info, 32));
    const derived = (what: string, length: number): Buffer =>
      Buffer.from(hkdfSync('sha256', keyMaterial, salt, Buffer.from(`Content-Encoding: ${what}\0`), length));
    const decipher = createDecipheriv('aes-128-gcm', derived('aes128gcm', 16), derived('nonce', 12));
    decipher.setAuthTag(record.subarray(-16));
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
    // The last record's delimiter.
    const end = padded.lastIndexOf(2);
    return padded.subarray(0, end).toString();
  }
}

/** A push service (RFC 8030) that takes only what its senders prove to be theirs (RFC 8292); this process trusts its certificate. */
export class PushService {
  pushes: Push[] = [];
  /** What was wrong with requests. */
  readonly failures: unknown[] = [];
  private readonly browsers = new Map<string, PushedBrowser>();
  private server!: Server;
  private distrust!: () => void;

  private constructor(private readonly publicKey: string) {}

  /** @param publicKey by which browsers have subscribed */
  static async start(publicKey: string): Promise<PushService> {
    const service = new PushService(publicKey);
    const certificate = selfSignedCertificate('localhost');
    service.distrust = trust(certificate.cert);
    service.server = createServer(certificate, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const browser = service.browsers.get(request.url ?? '');
        const { status, headers } = browser?.answers.shift() ?? { status: browser ? 201 : 404 };
        void (async () => {
          if (browser) await service.take(browser, request.headers, Buffer.concat(chunks));
        })()
          .catch((error: unknown) => service.failures.push(error))
          .finally(() => {
            if (status === 0) response.destroy();
            else response.writeHead(status, headers).end('what it is');
          });
      });
    });
    await new Promise<void>((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get host(): string {
    return `localhost:${(this.server.address() as AddressInfo).port}`;
  }

  get origin(): string {
    return `https://${this.host}`;
  }

  browser(): PushedBrowser {
    const browser = new PushedBrowser(this.origin);
    this.browsers.set(browser.path, browser);
    return browser;
  }

  async close(): Promise<void> {
    this.distrust();
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private async take(browser: PushedBrowser, headers: IncomingHttpHeaders, body: Buffer): Promise<void> {
    const [, token = '', key = ''] =
      /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
    expect(key).toBe(this.publicKey);
    const point = Buffer.from(key, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
    const publicKey = await importJWK({ kty: 'EC', crv: 'P-256', x: x!, y: y! }, 'ES256');
    const { payload: claims } = await jwtVerify(token, publicKey, {
      algorithms: ['ES256'],
      audience: this.origin,
      requiredClaims: ['exp', 'sub'],
    });
    expect(claims.exp! - Date.now() / 1000).toBeLessThanOrEqual(24 * 3600);
    expect(headers).toMatchObject({
      'content-encoding': 'aes128gcm',
      ttl: expect.stringMatching(/^\d+$/) as string,
    });
    const text = browser.decrypt(body);
    const payload = JSON.parse(text) as Push['payload'];
    this.pushes.push({ browser, headers, size: body.length, text, payload, claims });
  }
}
