import type { Server } from 'node:http';
import { Controller, Get, Injectable, Module, Param, Post } from '@nestjs/common';
import type { CanActivate, ExecutionContext, INestApplication } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { HealthCheck, HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import request from 'supertest';
import { AlertsHealth, AlertsModule, AlertsService } from '../../src/index.js';
import type { AlertRow, AlertsUser } from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { createTestDatabase, forgetAlerts, giveDatabaseBack, takeDatabaseAway } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { waitUntil } from '../support/server.js';

/** Believes what the test says. */
@Injectable()
class TestGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const call = context.switchToHttp().getRequest<{ headers: { 'x-user'?: string }; user?: AlertsUser }>();
    const { 'x-user': id } = call.headers;
    if (id !== undefined) call.user = { id, roles: id === 'ada' ? ['renku-admin'] : [] };
    return id !== undefined;
  }
}

const NOTICE = { title: 'Maintenance', message: 'Tonight', event_type: 'maintenance', user_id: 'jane' };

let database: TestDatabase;
let app: INestApplication<Server> | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(async () => {
  await app?.close();
  app = undefined;
});

// Each of these is what docs/embedding.md shows.

describe('@nestjs/terminus', () => {
  @Injectable()
  class AlertsIndicator {
    constructor(
      private readonly alerts: AlertsHealth,
      private readonly indicators: HealthIndicatorService,
    ) {}

    async isHealthy(key: string) {
      const { problems, ...parts } = await this.alerts.check();
      const indicator = this.indicators.check(key);
      const isUp = Object.values(parts).every((part) => part === 'ok');
      return isUp ? indicator.up(parts) : indicator.down({ ...parts, problems });
    }
  }

  @Controller('health')
  class HealthController {
    constructor(
      private readonly health: HealthCheckService,
      private readonly alerts: AlertsIndicator,
    ) {}

    @Get()
    @HealthCheck()
    check() {
      return this.health.check([() => this.alerts.isHealthy('alerts')]);
    }
  }

  it('shows whether alerts can be served', async () => {
    @Module({
      imports: [
        TypeOrmModule.forRoot(postgresOptions(database.url)),
        AlertsModule.forRoot({ auth: { guard: TestGuard } }),
        TerminusModule.forRoot({ logger: false }),
      ],
      controllers: [HealthController],
      providers: [AlertsIndicator],
    })
    class HostModule {}

    const host = await Test.createTestingModule({ imports: [HostModule] }).compile();
    app = host.createNestApplication<INestApplication<Server>>({ logger: false });
    await app.init();
    const server = app.getHttpServer();
    const up = { alerts: { status: 'up', database: 'ok', issuer: 'ok' } };
    await waitUntil(async () => {
      const answer = await request(server).get('/health').expect(200);
      expect(answer.body).toMatchObject({ status: 'ok', info: up });
      return true;
    });
    await takeDatabaseAway(database.url);
    try {
      const { body } = (await request(server).get('/health').expect(503)) as { body: unknown };
      expect(body).toMatchObject({
        status: 'error',
        error: { alerts: { status: 'down', database: 'unavailable', issuer: 'ok' } },
      });
      expect(JSON.stringify(body)).toMatch(/"problems":\["\w/);
    } finally {
      await giveDatabaseBack(database.url);
    }
    await waitUntil(async () => (await request(server).get('/health')).status === 200);
  });
});

describe('@nestjs/event-emitter', () => {
  @Injectable()
  class AlertEvents {
    constructor(alerts: AlertsService, events: EventEmitter2) {
      alerts.changes.subscribe(({ change, alert }) => events.emit(`alert.${change}`, alert));
    }
  }

  @Injectable()
  class Listener {
    readonly heard: string[] = [];

    @OnEvent('alert.opened')
    opened(alert: AlertRow): void {
      this.heard.push(`opened ${alert.title}`);
    }

    @OnEvent('alert.closed')
    closed(alert: AlertRow): void {
      this.heard.push(`closed ${alert.title} ${alert.resolved_reason ?? ''}`);
    }
  }

  it('emits what this process changes', async () => {
    await forgetAlerts(database.url);

    @Module({
      imports: [
        TypeOrmModule.forRoot(postgresOptions(database.url)),
        AlertsModule.forRoot({ auth: { guard: TestGuard } }),
        EventEmitterModule.forRoot(),
      ],
      providers: [AlertEvents, Listener],
    })
    class HostModule {}

    const host = await Test.createTestingModule({ imports: [HostModule] }).compile();
    app = host.createNestApplication<INestApplication<Server>>({ logger: false });
    await app.init();
    const alerts = app.get(AlertsService);
    const { id } = await alerts.create(NOTICE);
    await alerts.dismiss(id, 'jane');
    expect(app.get(Listener).heard).toEqual(['opened Maintenance', 'closed Maintenance dismissed']);
  });
});

describe("A host's own tests", () => {
  /** What of the host ends sessions. */
  @Controller('sessions')
  class SessionsController {
    constructor(private readonly alerts: AlertsService) {}

    @Post(':name/stop')
    async stop(@Param('name') name: string) {
      return { closed: await this.alerts.resolveForSession(name) };
    }
  }

  it('have the module on a database, with a guard of theirs and without jobs', async () => {
    await forgetAlerts(database.url);
    const host = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot(postgresOptions(database.url)),
        AlertsModule.forRoot({ auth: { guard: TestGuard }, upkeep: false, live: false }),
      ],
      controllers: [SessionsController],
    }).compile();
    app = host.createNestApplication<INestApplication<Server>>({ logger: false });
    await app.init();
    const server = app.getHttpServer();
    const alert = { ...NOTICE, session_name: 'jane-1' };
    await request(server).post('/alerts').set('X-User', 'ada').send(alert).expect(201);
    await request(server).get('/alerts').set('X-User', 'jane').expect(200);
    await request(server).post('/sessions/jane-1/stop').expect(201, { closed: 1 });
    const after = await request(server).get('/alerts').set('X-User', 'jane').expect(200);
    expect(after.body).toEqual([]);
  });

  it('have a service of theirs in the place of ours, without a database', async () => {
    const resolveForSession = jest.fn(() => Promise.resolve(3));
    const host = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', manualInitialization: true }),
        AlertsModule.forRoot({ auth: { guard: TestGuard }, upkeep: false, live: false }),
      ],
      controllers: [SessionsController],
    })
      .overrideProvider(AlertsService)
      .useValue({ resolveForSession })
      .compile();
    app = host.createNestApplication<INestApplication<Server>>({ logger: false });
    await app.init();
    await request(app.getHttpServer()).post('/sessions/jane-1/stop').expect(201, { closed: 3 });
    expect(resolveForSession).toHaveBeenCalledWith('jane-1');
  });
});
