import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Controller,
  ForbiddenException,
  Get,
  Global,
  HttpException,
  Injectable,
  Module,
  NotFoundException,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import type { CanActivate, ExecutionContext, INestApplication, ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SignJWT } from 'jose';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { EMPTY, NEVER, of, throwError } from 'rxjs';
import { AlertsHealth, AlertsModule } from '../../src/index.js';
import type { AlertsUser, TokenAuthOptions } from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { createTestDatabase, forgetAlerts } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer, waitUntil } from '../support/server.js';
import { Signer } from '../support/signer.js';
import type { TestIssuer } from '../support/server.js';

/** Bytes; Node's own limit is 16 kB. */
const HEADER_LIMIT = 256 * 1024;

class RoomyExpressAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createHttpServer({ maxHeaderSize: HEADER_LIMIT }, this.getInstance<RequestListener>());
  }
}

const ADAPTERS = [
  ['Express', () => new RoomyExpressAdapter()],
  ['Fastify', () => new FastifyAdapter({ http: { maxHeaderSize: HEADER_LIMIT } })],
] as const;

const NEW_ALERT = { title: 'Maintenance', message: 'Tonight', event_type: 'maintenance', user_id: 'jane' };

let database: TestDatabase;
let host: INestApplication<Server>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(async () => {
  await host.close();
  await forgetAlerts(database.url);
});

async function startHost(
  newAdapter: () => ExpressAdapter | FastifyAdapter,
  imports: NonNullable<ModuleMetadata['imports']>,
): Promise<void> {
  @Module({
    imports: [TypeOrmModule.forRoot({ ...postgresOptions(database.url), poolSize: 4 }), ...imports],
    controllers: [HostController],
  })
  class HostModule {}

  host = await NestFactory.create(HostModule, newAdapter(), { logger: false, abortOnError: false });
  host.setGlobalPrefix('host');
  await host.listen(0, '127.0.0.1');
}

interface Answer {
  status: number;
  retryAfter: string | null;
  challenge: string | null;
  body: unknown;
}

async function send(call: string, headers: Record<string, string>): Promise<Answer> {
  const [method = '', path = ''] = call.split(' ');
  const { port } = host.getHttpServer().address() as AddressInfo;
  const body = path.startsWith('/webhooks') ? { version: '4', alerts: [] } : NEW_ALERT;
  const response = await fetch(`http://127.0.0.1:${port}/host${path}`, {
    method,
    headers: { ...headers, ...(method === 'POST' && { 'content-type': 'application/json' }) },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(text).not.toMatch(/\n\s+at |node_modules/);
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    challenge: response.headers.get('www-authenticate'),
    body: text && JSON.parse(text),
  };
}

function expectError(answer: Answer, code: number): void {
  expect(answer.status).toBe(code);
  expect(answer.body).toEqual({ error: { code, message: expect.stringMatching(/\S/) as string } });
}

/** The host's request, of either adapter. */
type HostRequest = IncomingMessage & { raw?: IncomingMessage; user?: unknown };

function requestIn(context: ExecutionContext): HostRequest {
  return context.switchToHttp().getRequest<HostRequest>();
}

/** Knows people by a header in which the host's gateway says, as JSON, who calls. */
@Injectable()
class GatewayGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = requestIn(context);
    const { 'x-user': user, 'x-banned': banned } = request.headers;
    if (user === undefined) throw new UnauthorizedException('Log in first');
    request.user = JSON.parse(String(user));
    return banned === undefined;
  }
}

/** Knows the host's own session tokens: a real `jwt` strategy on the passport that everybody shares. */
@Injectable()
class HostJwtGuard implements CanActivate {
  canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestIn(context);
    return new Promise((resolve, reject) => {
      const middleware = passport.authenticate('jwt', { session: false }, (error: unknown, user: unknown) => {
        if (error instanceof Error) reject(error);
        else if (user) resolve(true);
        else reject(new UnauthorizedException('Not a token of the host'));
      }) as (request: IncomingMessage, response: unknown, next: (error: unknown) => void) => void;
      middleware(request.raw ?? request, {}, reject);
    });
  }
}

/** rxjs waits by intervals. */
const ALL_BUT_INTERVALS = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setTimeout',
  'clearTimeout',
] as const;

function fails(reason: unknown): never {
  throw reason as Error;
}

function ownCause(): Error {
  const error = new Error('of the host');
  error.cause = error;
  return error;
}

@Controller('pages')
class HostController {
  @Get('open')
  open() {
    return { page: 'open' };
  }

  @Get('missing')
  missing(): never {
    throw new NotFoundException('No such page');
  }

  @Get('closed')
  @UseGuards(HostJwtGuard)
  closed() {
    return { page: 'closed' };
  }
}

function as(user: unknown, more: Record<string, string> = {}): Record<string, string> {
  return { 'x-user': JSON.stringify(user), ...more };
}

describe.each(ADAPTERS)('A host on %s with a guard of its own', (_name, newAdapter) => {
  const WITH_GUARD = [AlertsModule.forRoot({ auth: { guard: GatewayGuard } })];

  it('decides who may call: users read, Alertmanager posts, administrators do both', async () => {
    await startHost(newAdapter, WITH_GUARD);
    const jane = as({ id: 'jane', roles: [] });
    const alertmanager = as({ id: 'am', roles: ['alertmanager-webhook'] });
    const admin = as({ id: 'ada', roles: ['staff', 'renku-admin'] });

    expect(await send('GET /alerts', jane)).toMatchObject({ status: 200, body: [] });
    expectError(await send('POST /webhooks/alertmanager', jane), 403);
    expectError(await send('POST /alerts', jane), 403);

    expect(await send('POST /webhooks/alertmanager', alertmanager)).toMatchObject({ status: 200 });
    expectError(await send('POST /alerts', alertmanager), 403);

    expect(await send('POST /webhooks/alertmanager', admin)).toMatchObject({ status: 200 });
    const created = await send('POST /alerts', admin);
    expect(created).toMatchObject({ status: 201, body: { user_id: 'jane' } });
    const { id } = created.body as { id: string };
    expect(await send('GET /alerts', jane)).toMatchObject({ status: 200, body: [{ id }] });
    expect(await send('GET /alerts', admin)).toMatchObject({ status: 200, body: [] });
  });

  it.each(['GET /alerts', 'POST /webhooks/alertmanager', 'POST /alerts'])(
    '%s: its refusals keep their status, in our error body',
    async (call) => {
      await startHost(newAdapter, WITH_GUARD);
      expectError(await send(call, {}), 401);
      expectError(await send(call, as({ id: 'ada', roles: ['renku-admin'] }, { 'x-banned': 'yes' })), 403);
    },
  );

  it.each([
    ['null', null],
    ['nothing', ''],
  ])('a request that it lets pass without saying whose it is (%s) is 401', async (_what, user) => {
    await startHost(newAdapter, WITH_GUARD);
    expectError(await send('GET /alerts', as(user)), 401);
    expectError(await send('POST /webhooks/alertmanager', as(user)), 401);
  });

  it.each<[string, unknown]>([
    ['no roles', { id: 'jane' }],
    ['null as roles', { id: 'jane', roles: null }],
    ['a string as roles', { id: 'jane', roles: 'renku-admin alertmanager-webhook' }],
    ["the host's own idea of an administrator", { id: 'jane', isAdmin: true, isAlertmanager: true }],
    ['roles that are no strings', { id: 'jane', roles: [['renku-admin'], { name: 'renku-admin' }, null] }],
  ])('a user with %s may do nothing that needs a role', async (_what, user) => {
    await startHost(newAdapter, WITH_GUARD);
    for (const call of ['POST /webhooks/alertmanager', 'POST /alerts']) {
      expectError(await send(call, as(user)), 403);
    }
  });

  it.each<[string, unknown]>([
    ['no id', { roles: ['renku-admin'] }],
    ['an empty id', { id: '', roles: ['renku-admin'] }],
    ['a number as id', { id: 7, roles: ['renku-admin'] }],
  ])("a user with %s is the host's mistake, and nobody", async (_what, user) => {
    await startHost(newAdapter, WITH_GUARD);
    for (const call of ['GET /alerts', 'POST /webhooks/alertmanager']) {
      const answer = await send(call, as(user));
      expect(answer).toMatchObject({ status: 500, body: { error: { code: 500 } } });
    }
  });

  it('says by `user` who calls, where that is not in request.user', async () => {
    const user = (request: unknown): AlertsUser | undefined => {
      const { login, groups } = (request as { user: { login?: string; groups: string[] } }).user;
      return login === undefined ? undefined : { id: login, roles: groups.map((group) => group.slice(1)) };
    };
    await startHost(newAdapter, [AlertsModule.forRoot({ auth: { guard: GatewayGuard, user } })]);
    const admin = as({ login: 'ada', groups: ['/renku-admin'] });
    expect(await send('GET /alerts', admin)).toMatchObject({ status: 200 });
    expect(await send('POST /webhooks/alertmanager', admin)).toMatchObject({ status: 200 });
    expectError(await send('POST /webhooks/alertmanager', as({ login: 'jane', groups: [] })), 403);
    expectError(await send('GET /alerts', as({ groups: ['/renku-admin'] })), 401);
  });

  it('may answer by a promise or an observable', async () => {
    @Injectable()
    class SlowGuard extends GatewayGuard {
      override canActivate(context: ExecutionContext) {
        const answer = super.canActivate(context);
        return (context.getHandler().name === 'list' ? of(answer) : Promise.resolve(answer)) as never;
      }
    }
    await startHost(newAdapter, [AlertsModule.forRoot({ auth: { guard: SlowGuard } })]);
    const alertmanager = as({ id: 'am', roles: ['alertmanager-webhook'] });
    expect(await send('GET /alerts', alertmanager)).toMatchObject({ status: 200 });
    expect(await send('POST /webhooks/alertmanager', alertmanager)).toMatchObject({ status: 200 });
    const banned = { ...alertmanager, 'x-banned': 'yes' };
    expectError(await send('GET /alerts', banned), 403);
    expectError(await send('POST /webhooks/alertmanager', banned), 403);
  });

  /** A guard that does this, once it has noted who calls. */
  function guardThat(answer: () => unknown) {
    @Injectable()
    class OddGuard extends GatewayGuard {
      override canActivate(context: ExecutionContext) {
        super.canActivate(context);
        return answer() as boolean;
      }
    }
    return OddGuard;
  }

  const ADMIN = as({ id: 'ada', roles: ['renku-admin'] });
  const CALLS = ['GET /alerts', 'POST /webhooks/alertmanager', 'POST /alerts'];

  it.each<[what: string, code: number, answer: () => unknown]>([
    ['throws', 500, () => fails(new Error('of the host'))],
    ['throws no error', 500, () => fails('a text')],
    ['throws nothing at all', 500, () => fails(undefined)],
    ['throws null', 500, () => fails(null)],
    ['throws what cannot be written down', 500, () => fails(Object.create(null))],
    ['throws an error that is its own cause', 500, () => fails(ownCause())],
    ['throws a status that there is not', 500, () => fails(new HttpException('of the host', 0))],
    ['throws a status that is no number', 500, () => fails(new HttpException('of the host', NaN))],
    ['throws a status of success', 500, () => fails(new HttpException('of the host', 204))],
    ['rejects', 500, () => Promise.reject(new Error('of the host'))],
    ['rejects with a refusal', 403, () => Promise.reject(new ForbiddenException('No'))],
    ['emits an error', 500, () => throwError(() => new Error('of the host'))],
    ['emits nothing', 403, () => EMPTY],
    ['answers nothing', 403, () => undefined],
    ['answers null by a promise', 403, () => Promise.resolve(null)],
    ['emits no after a yes', 403, () => of(true, false)],
    ['answers a text', 500, () => 'no'],
    ['answers an object by a promise', 500, () => Promise.resolve({ isLetPass: false })],
    ['answers an observable by a promise', 500, () => Promise.resolve(of(false))],
    ['emits a number', 500, () => of(1)],
  ])('that %s lets nobody pass: %d', async (_what, code, answer) => {
    await startHost(newAdapter, [AlertsModule.forRoot({ auth: { guard: guardThat(answer) } })]);
    for (const call of CALLS) {
      expect(await send(call, ADMIN)).toMatchObject({ status: code, body: { error: { code } } });
    }
    expect(await send('GET /pages/open', {})).toMatchObject({ status: 200 });
  });

  it.each<[what: string, answer: () => unknown]>([
    ['whose promise never comes', () => new Promise(() => undefined)],
    ['whose observable never comes', () => NEVER],
  ])('%s keeps nobody waiting for ever: 503', async (_what, answer) => {
    const asked = jest.fn(answer);
    await startHost(newAdapter, [AlertsModule.forRoot({ auth: { guard: guardThat(asked) } })]);
    await expectUnavailableIn30Seconds(asked);
  });

  it.each<[what: string, code: number, user: () => unknown]>([
    ['throws', 500, () => fails(new Error('of the host'))],
    ['rejects', 500, () => Promise.reject(new Error('of the host'))],
    ['throws a refusal', 403, () => fails(new ForbiddenException('No'))],
    ['answers nobody by a promise', 401, () => Promise.resolve(undefined)],
    ['answers a text', 500, () => 'ada'],
  ])('whose `user` %s lets nobody pass: %d', async (_what, code, user) => {
    const auth = { guard: GatewayGuard, user: user as () => AlertsUser };
    await startHost(newAdapter, [AlertsModule.forRoot({ auth })]);
    for (const call of CALLS) {
      expect(await send(call, ADMIN)).toMatchObject({ status: code, body: { error: { code } } });
    }
  });

  it('whose `user` answers by a promise is waited for, though not for ever', async () => {
    const user = jest.fn(() => Promise.resolve<AlertsUser>({ id: 'ada', roles: ['renku-admin'] }));
    await startHost(newAdapter, [AlertsModule.forRoot({ auth: { guard: GatewayGuard, user } })]);
    expect(await send('POST /webhooks/alertmanager', as({}))).toMatchObject({ status: 200 });
    user.mockClear();
    user.mockReturnValue(new Promise(() => undefined));
    await expectUnavailableIn30Seconds(user);
  });

  /** The half minute for which the host is waited for passes at once, when it has been asked. */
  async function expectUnavailableIn30Seconds(asked: jest.Mock): Promise<void> {
    jest.useFakeTimers({ doNotFake: [...ALL_BUT_INTERVALS] });
    try {
      const answer = send('GET /alerts', ADMIN);
      await waitUntil(() => asked.mock.calls.length > 0);
      jest.advanceTimersByTime(30_000);
      expect(await answer).toMatchObject({ status: 503, body: { error: { code: 503 } } });
    } finally {
      jest.useRealTimers();
    }
  }

  describe('that needs a service of the host', () => {
    @Injectable()
    class Bans {
      readonly names = ['mallory'];
    }

    @Injectable()
    class BanningGuard extends GatewayGuard {
      constructor(private readonly bans: Bans) {
        super();
      }

      override canActivate(context: ExecutionContext): boolean {
        const isLetPass = super.canActivate(context);
        const { id } = requestIn(context).user as AlertsUser;
        if (this.bans.names.includes(id)) throw new ForbiddenException('You are banned');
        return isLetPass;
      }
    }

    @Module({ providers: [Bans], exports: [Bans] })
    class BansModule {}

    @Global()
    @Module({ imports: [BansModule], exports: [BansModule] })
    class GlobalBansModule {}

    it.each([
      [
        'from a global module',
        () => [GlobalBansModule, AlertsModule.forRoot({ auth: { guard: BanningGuard } })],
      ],
      [
        'from a module that forRootAsync imports',
        () => [
          AlertsModule.forRootAsync({
            imports: [BansModule],
            useFactory: () => ({ auth: { guard: BanningGuard } }),
          }),
        ],
      ],
    ])('gets it %s', async (_where, imports) => {
      await startHost(newAdapter, imports());
      expect(await send('GET /alerts', as({ id: 'ada', roles: [] }))).toMatchObject({ status: 200 });
      expectError(await send('GET /alerts', as({ id: 'mallory', roles: [] })), 403);
    });
  });

  it("leaves the host's own routes and their errors as they are", async () => {
    await startHost(newAdapter, WITH_GUARD);
    expect(await send('GET /pages/open', {})).toMatchObject({ status: 200, body: { page: 'open' } });
    expect((await send('GET /pages/missing', {})).body).toEqual({
      statusCode: 404,
      error: 'Not Found',
      message: 'No such page',
    });
  });
});

describe.each(ADAPTERS)('A host on %s with a passport strategy `jwt` of its own', (_name, newAdapter) => {
  const HOST_SECRET = 'the secret of the host, which is long enough';
  let issuer: TestIssuer;

  beforeAll(async () => {
    issuer = await startIssuer();
    passport.use(
      'jwt',
      new Strategy(
        { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: HOST_SECRET },
        (claims: { sub: string }, done: (error: unknown, user: unknown) => void) => {
          done(null, { name: claims.sub });
        },
      ),
    );
  });
  afterAll(async () => {
    passport.unuse('jwt');
    await issuer.close();
  });

  async function startHostWithTokens(options: Partial<TokenAuthOptions> = {}): Promise<void> {
    const auth = { issuer: issuer.issuer.url, ...options };
    await startHost(newAdapter, [AlertsModule.forRoot({ auth })]);
  }

  async function untilKeysAreThere(): Promise<void> {
    const health = host.get(AlertsHealth, { strict: false });
    await waitUntil(async () => (await health.check()).issuer === 'ok');
  }

  function bearer(token: string): Record<string, string> {
    return { authorization: `Bearer ${token}` };
  }

  function hostToken(claims: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT({ sub: 'jane', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('5m')
      .sign(Buffer.from(HOST_SECRET));
  }

  it('each takes its own tokens and refuses those of the other', async () => {
    await startHostWithTokens();
    const [ours, theirs] = [await issuer.issuer.userToken({ sub: 'jane' }), await hostToken()];
    await waitUntil(async () => (await send('GET /alerts', bearer(ours))).status === 200);
    expect(await send('GET /pages/closed', bearer(theirs))).toMatchObject({ status: 200 });

    expect(await send('GET /pages/closed', bearer(ours))).toMatchObject({ status: 401 });
    const refused = await send('GET /alerts', bearer(theirs));
    expectError(refused, 401);
    expect(refused.challenge).toContain('error="invalid_token"');
    const lookalike = await hostToken({
      iss: issuer.issuer.url,
      aud: 'renku',
      typ: 'Bearer',
      realm_access: { roles: ['alertmanager-webhook'] },
    });
    expectError(await send('POST /webhooks/alertmanager', bearer(lookalike)), 401);
  });

  it.each(['null', '"text"', '5', '[]', 'true', '{"sub"', 'the secret of jane'])(
    'a signed token whose payload is %s is 401, and nobody else notices',
    async (payload) => {
      await startHostWithTokens();
      await untilKeysAreThere();
      for (const call of ['GET /alerts', 'POST /webhooks/alertmanager', 'POST /alerts']) {
        for (const header of [{}, { typ: undefined }]) {
          expectError(await send(call, bearer(await issuer.issuer.signText(payload, header))), 401);
        }
      }
      const good = await issuer.issuer.userToken({ sub: 'jane' });
      expect(await send('GET /alerts', bearer(good))).toMatchObject({ status: 200 });
    },
  );

  it('a token is good with 300 realm roles, and with 5,000', async () => {
    await startHostWithTokens();
    await untilKeysAreThere();
    for (const count of [300, 5_000]) {
      const roles = Array.from({ length: count }, (_, number) => `project-${number}-of-a-large-organisation`);
      const token = await issuer.issuer.userToken({ sub: 'ada', roles: [...roles, 'alertmanager-webhook'] });
      expect(token.length).toBeGreaterThan(count * 40);
      expect(await send('POST /webhooks/alertmanager', bearer(token))).toMatchObject({ status: 200 });
    }
  });

  it.each([
    ['64 kB of one letter', 'x'.repeat(64 * 1024)],
    ['a name that every object has', '__proto__'],
    ['another such name', 'constructor'],
    ['control characters', '\u0000\r\n'],
    ['half of a character', '\ud800'],
  ])('an unknown kid of %s is 401', async (_what, kid) => {
    await startHostWithTokens();
    await untilKeysAreThere();
    expectError(await send('GET /alerts', bearer(await issuer.issuer.sign({}, { kid }))), 401);
  });

  it('what the issuer cannot be asked for is 503, and says when to come again', async () => {
    await startHostWithTokens();
    await untilKeysAreThere();
    const known = await issuer.issuer.userToken({ sub: 'jane' });
    const unknown = (): string => new Signer('RS256').token(issuer.issuer.url);
    await issuer.stop();
    try {
      for (const call of ['GET /alerts', 'POST /webhooks/alertmanager', 'POST /alerts']) {
        const answer = await send(call, bearer(unknown()));
        expect(answer).toMatchObject({ status: 503, body: { error: { code: 503 } } });
        expect(answer.retryAfter).toMatch(/^[1-9]\d?$/);
      }
    } finally {
      await issuer.start();
    }
    for (let sent = 0; sent < 6; sent += 1) await send('GET /alerts', bearer(unknown()));
    const answer = await send('POST /webhooks/alertmanager', bearer(unknown()));
    expect(answer).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d?$/) as string });
    expect(await send('GET /alerts', bearer(known))).toMatchObject({ status: 200 });
  });

  it('the algorithms that the host names are taken, and no others', async () => {
    const [allowed, other] = [new Signer('ES384'), new Signer('PS256')];
    issuer.answerInstead = (request, response) => {
      if (!request.url?.endsWith('/certs')) return false;
      response.end(JSON.stringify({ keys: [null, allowed.jwk, other.jwk] }));
      return true;
    };
    try {
      await startHostWithTokens({ algorithms: ['ES384'] });
      await untilKeysAreThere();
      const { url } = issuer.issuer;
      expect(await send('GET /alerts', bearer(allowed.token(url)))).toMatchObject({ status: 200 });
      expectError(await send('GET /alerts', bearer(other.token(url))), 401);
      expectError(await send('GET /alerts', bearer(allowed.token(url, { alg: 'ES256' }))), 401);
    } finally {
      issuer.answerInstead = undefined;
    }
  });

  it("the request's user stays what the host made it", async () => {
    const users: unknown[] = [];
    await startHostWithTokens();
    await host.close();
    host = await hostThatNotes(users);
    const token = await issuer.issuer.userToken({ sub: 'jane', roles: ['alertmanager-webhook'] });
    await waitUntil(async () => (await send('GET /alerts', bearer(token))).status === 200);
    expect(await send('POST /webhooks/alertmanager', bearer(token))).toMatchObject({ status: 200 });
    expect(new Set(users)).toEqual(new Set(['the host’s own']));
  });

  /** A host that sets `request.user` for every request, and notes what it is when the answer has gone. */
  async function hostThatNotes(users: unknown[]): Promise<INestApplication<Server>> {
    @Module({
      imports: [
        TypeOrmModule.forRoot({ ...postgresOptions(database.url), poolSize: 4 }),
        AlertsModule.forRoot({ auth: { issuer: issuer.issuer.url } }),
      ],
    })
    class HostModule {}

    const app = await NestFactory.create<INestApplication<Server>>(HostModule, newAdapter(), {
      logger: false,
      abortOnError: false,
    });
    app.setGlobalPrefix('host');
    app.use((request: HostRequest, response: Server, next: () => void) => {
      request.user = 'the host’s own';
      response.on('finish', () => users.push(request.user));
      next();
    });
    await app.listen(0, '127.0.0.1');
    return app;
  }
});
