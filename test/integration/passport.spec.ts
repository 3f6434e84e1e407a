import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  Module,
  Req,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type {
  BeforeApplicationShutdown,
  CallHandler,
  CanActivate,
  DynamicModule,
  ExecutionContext,
  INestApplication,
  NestInterceptor,
  Provider,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SignJWT } from 'jose';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { AlertsModule, ErrorResponseFilter } from '../../src/index.js';
import type { AlertsModuleOptions, AlertsUser } from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { AlertsApi, expectError } from '../support/alerts.js';
import type { Answer, Person } from '../support/alerts.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer, waitUntil } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';
import { Signer } from '../support/signer.js';

const HOST_SECRET = 'the secret of the host, which is long enough';
const JANE = { sub: 'jane' };
const ADA = { sub: 'ada', roles: ['staff', 'renku-admin'] };

/** What the host's guards and Nest's write on a request. */
interface HostRequest {
  user?: unknown;
  authInfo?: unknown;
  account?: unknown;
}

@Controller('pages')
class PagesController {
  @Get('ours')
  @UseGuards(AuthGuard('session-alerts'))
  ours(@Req() request: { user: AlertsUser & { visits?: number } }) {
    request.user.visits = (request.user.visits ?? 0) + 1;
    return request.user;
  }

  @Get('told')
  @UseGuards(AuthGuard('session-alerts'))
  @UseFilters(new ErrorResponseFilter())
  told(@Req() { user }: { user: AlertsUser }) {
    return user;
  }

  @Get('either')
  @UseGuards(AuthGuard(['jwt', 'session-alerts']))
  either(@Req() { user }: { user: AlertsUser }) {
    return user;
  }
}

/** The host's own tokens. */
@Injectable()
class HostStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: HOST_SECRET });
  }

  validate({ sub }: { sub: string }) {
    return { id: `host:${sub}` };
  }
}

function hostToken(): Promise<string> {
  return new SignJWT({ sub: 'joe' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('5m')
    .sign(Buffer.from(HOST_SECRET));
}

function strategiesOfTheProcess(): string[] {
  return Object.keys((passport as unknown as { _strategies: Record<string, unknown> })._strategies).sort();
}

let database: TestDatabase;
let issuer: TestIssuer;
let otherIssuer: TestIssuer;
const hosts: INestApplication<Server>[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  [issuer, otherIssuer] = await Promise.all([startIssuer(), startIssuer()]);
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});
afterAll(async () => {
  passport.unuse('jwt');
  await Promise.all([issuer.close(), otherIssuer.close()]);
  await database.drop();
});

describe.each<[string, () => ExpressAdapter | FastifyAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('In a host on %s', (_adapter, newAdapter) => {
  /** Starts a host that trusts the issuer, with what else it has, and waits until it takes tokens. */
  async function startHost(
    trusted: TestIssuer,
    { imports = [], providers = [] }: { imports?: DynamicModule[]; providers?: Provider[] } = {},
  ): Promise<AlertsApi> {
    const api = await startApplication({ auth: { issuer: trusted.issuer.url } }, trusted, imports, providers);
    await waitUntil(async () => (await api.call('GET', '/alerts', { as: JANE })).status === 200);
    return api;
  }

  async function startApplication(
    options: AlertsModuleOptions,
    { issuer: signer }: TestIssuer,
    imports: DynamicModule[] = [],
    providers: Provider[] = [],
    beforeItStarts: () => Promise<void> = () => Promise.resolve(),
  ): Promise<AlertsApi> {
    @Module({
      imports: [
        TypeOrmModule.forRoot({ ...postgresOptions(database.url), poolSize: 4 }),
        AlertsModule.forRoot({ ...options, upkeep: false, live: false }),
        ...imports,
      ],
      controllers: [PagesController],
      providers,
    })
    class HostModule {}

    const host = await NestFactory.create<INestApplication<Server>>(HostModule, newAdapter(), {
      logger: false,
      abortOnError: false,
    });
    hosts.push(host);
    await beforeItStarts();
    await host.listen(0, '127.0.0.1');
    const { port } = host.getHttpServer().address() as AddressInfo;
    return new AlertsApi(`http://127.0.0.1:${port}`, signer);
  }

  function withToken({ url }: AlertsApi, path: string, token: string): Promise<Response> {
    return fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
  }

  it("AuthGuard('session-alerts') says who calls on the host's own routes", async () => {
    const api = await startHost(issuer);
    const before = Date.now() / 1000;
    const answer = await api.call('GET', '/pages/ours', { as: ADA });
    expect(answer).toMatchObject({ status: 200, body: { id: 'ada', roles: ['renku-admin'] } });
    expect((answer.body as AlertsUser).expiresAt).toBeGreaterThan(before);
  });

  it('what a host notes of the user is not there when the same token comes again', async () => {
    const api = await startHost(issuer);
    const token = await issuer.issuer.userToken(ADA);
    for (let call = 0; call < 2; call += 1) {
      expect(await (await withToken(api, '/pages/ours', token)).json()).toMatchObject({ visits: 1 });
    }
  });

  it("refuses there as on ours: 401 with a challenge, and 503 while the issuer's keys cannot be had", async () => {
    const api = await startHost(issuer);
    expect(await api.call('GET', '/pages/ours')).toMatchObject({ status: 401, body: { statusCode: 401 } });
    const anonymous = await api.call('GET', '/pages/told');
    expectError(anonymous, 401);
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer realm="session-alerts"');
    const wrong = await withToken(api, '/pages/told', await hostToken());
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
    const unknown = new Signer('RS256').token(issuer.issuer.url);
    await issuer.stop();
    try {
      const answer = await withToken(api, '/pages/told', unknown);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
      expect((await withToken(api, '/pages/ours', unknown)).status).toBe(503);
    } finally {
      await issuer.start();
    }
  });

  it("stands beside the host's own strategy, and last in a list of them", async () => {
    const api = await startHost(issuer, { providers: [HostStrategy] });
    const answer = await withToken(api, '/pages/either', await hostToken());
    expect(await answer.json()).toEqual({ id: 'host:joe' });
    expect(await api.call('GET', '/pages/either', { as: JANE })).toMatchObject({ body: { id: 'jane' } });
    expect((await api.call('GET', '/pages/either')).status).toBe(401);
    expect((await withToken(api, '/alerts', await hostToken())).status).toBe(401);
  });

  it("leaves what the host's guards wrote on a request of ours, whatever its PassportModule says", async () => {
    const seen: HostRequest[] = [];
    @Injectable()
    class Marking implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        Object.assign(context.switchToHttp().getRequest<HostRequest>(), { user: 'mine', authInfo: 'mine' });
        return true;
      }
    }
    @Injectable()
    class Noting implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
        const request = context.switchToHttp().getRequest<HostRequest>();
        return next.handle().pipe(tap(() => seen.push(request)));
      }
    }
    const ofHost = PassportModule.register({ defaultStrategy: 'jwt', property: 'account', session: true });
    const api = await startHost(issuer, {
      imports: [{ ...ofHost, global: true }],
      providers: [
        HostStrategy,
        { provide: APP_GUARD, useClass: Marking },
        { provide: APP_INTERCEPTOR, useClass: Noting },
      ],
    });
    seen.length = 0;
    expect((await api.call('GET', '/alerts', { as: JANE })).status).toBe(200);
    expect(seen).toHaveLength(1);
    const [{ user, authInfo, account } = {}] = seen;
    expect({ user, authInfo, account }).toEqual({ user: 'mine', authInfo: 'mine', account: undefined });
    expect(Object.keys(seen[0]!)).not.toContain('isAuthenticated');
  });

  it.each(['the first', 'the second'])(
    'another application of the process takes its own tokens only: %s trusts the one issuer',
    async (which) => {
      const trusted = which === 'the first' ? [issuer, otherIssuer] : [otherIssuer, issuer];
      const apis: AlertsApi[] = [];
      for (const one of trusted) apis.push(await startHost(one));
      for (const [index, api] of apis.entries()) {
        const own = await trusted[index]!.issuer.userToken(JANE);
        const foreign = await trusted[1 - index]!.issuer.userToken(JANE);
        for (const path of ['/alerts', '/pages/ours']) {
          expect((await withToken(api, path, own)).status).toBe(200);
          expect((await withToken(api, path, foreign)).status).toBe(401);
        }
      }
    },
  );

  it.each([0, 1])('of two applications number %d is closed, and the other goes on', async (closed) => {
    const trusted = [issuer, otherIssuer];
    const apis = [await startHost(issuer), await startHost(otherIssuer)];
    const [gone] = hosts.splice(closed, 1);
    await gone!.close();
    const [left, theirs] = [apis[1 - closed]!, trusted[closed]!];
    expect((await left.call('GET', '/pages/ours', { as: JANE })).status).toBe(200);
    expect((await withToken(left, '/pages/ours', await theirs.issuer.userToken(JANE))).status).toBe(401);
    expect(strategiesOfTheProcess()).toContain('session-alerts');
    await hosts.pop()!.close();
    expect(strategiesOfTheProcess()).not.toContain('session-alerts');
  });

  it('goes on where another application closes while this one starts', async () => {
    await startHost(issuer);
    const closeOther = () => hosts.shift()!.close();
    const auth = { issuer: otherIssuer.issuer.url };
    const api = await startApplication({ auth }, otherIssuer, [], [], closeOther);
    await waitUntil(async () => (await api.call('GET', '/alerts', { as: JANE })).status === 200);
    expect((await api.call('GET', '/pages/ours', { as: JANE })).status).toBe(200);
  });

  it('takes tokens for as long as requests come while it closes', async () => {
    const answers: number[] = [];
    const apis: AlertsApi[] = [];
    @Injectable()
    class Draining implements BeforeApplicationShutdown {
      async beforeApplicationShutdown(): Promise<void> {
        for (const path of ['/alerts', '/pages/ours']) {
          answers.push((await apis[0]!.call('GET', path, { as: JANE })).status);
        }
      }
    }
    apis.push(await startHost(issuer, { providers: [Draining] }));
    await hosts.pop()!.close();
    expect(answers).toEqual([200, 200]);
  });

  it.each<[string, (strategy: passport.StrategyCreatedStatic) => void]>([
    [
      'calls whoever comes an administrator',
      (strategy) => {
        strategy.success({ id: 'eve', roles: ['renku-admin'] });
      },
    ],
    [
      'lets everybody pass',
      (strategy) => {
        strategy.pass();
      },
    ],
  ])('trusts no other strategy of its name, such as one that %s', async (_what, act) => {
    class Foreign extends passport.Strategy {
      override authenticate(): void {
        act(this);
      }
    }
    const api = await startHost(issuer);
    passport.use('session-alerts', new Foreign());
    expectError(await api.call('GET', '/alerts'), 500);
  });

  it('leaves passport, which may keep what it is shown, nothing of the request once it has answered', async () => {
    const shown: { raw?: unknown }[] = [];
    const had: boolean[] = [];
    class Keeping extends passport.Strategy {
      override authenticate(given: unknown): void {
        const request = given as { raw?: unknown };
        shown.push(request);
        had.push(request.raw !== undefined);
        this.error(new ForbiddenException('Not today'));
      }
    }
    const api = await startHost(issuer);
    passport.use('session-alerts', new Keeping());
    expectError(await api.call('GET', '/alerts'), 403);
    expect(had).toEqual([true]);
    expect(shown[0]!.raw).toBeUndefined();
  });

  it("has no strategy of ours where the host's guard decides, and none that is another application's", async () => {
    @Injectable()
    class Everybody implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        context.switchToHttp().getRequest<HostRequest>().user = { id: 'jane' };
        return true;
      }
    }
    const ofGuard = await startApplication({ auth: { guard: Everybody } }, issuer);
    expect(strategiesOfTheProcess()).not.toContain('session-alerts');
    expect((await ofGuard.call('GET', '/alerts')).status).toBe(200);
    const ofTokens = await startHost(issuer);
    const call = (api: AlertsApi, as: Person): Promise<Answer> => api.call('GET', '/pages/ours', { as });
    expect((await call(ofTokens, JANE)).status).toBe(200);
    expect((await call(ofGuard, JANE)).status).toBe(500);
  });
});
