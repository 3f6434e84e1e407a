import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Module } from '@nestjs/common';
import type { BeforeApplicationShutdown, INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Registry } from 'prom-client';
import { AlertsMetrics, AlertsModule, AlertsService, FeedHealth } from '../../src/index.js';
import type { AlertChange, AlertsModuleOptions, UserDirectory } from '../../src/index.js';
import { AlertsApi, expectError, firing, resolved, webhook } from '../support/alerts.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer, waitUntil } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

/** What the host knows of its users, and how often it was asked. */
@Injectable()
class People {
  readonly known = new Set(['jane', 'bob']);
  readonly asked: string[][] = [];
  isBroken = false;
  address: string | undefined = 'jane@people.example';
}

@Module({ providers: [People], exports: [People] })
class PeopleModule {}

@Injectable()
class PeopleDirectory implements UserDirectory {
  constructor(private readonly people: People) {}

  existing(userIds: string[]): Promise<string[]> {
    this.people.asked.push(userIds);
    if (this.people.isBroken) return Promise.reject(new Error('LDAP is down'));
    return Promise.resolve(userIds.filter((id) => this.people.known.has(id)));
  }

  emailOf(userId: string): Promise<string | undefined> {
    if (this.people.isBroken) return Promise.reject(new Error('LDAP is down'));
    return Promise.resolve(userId === 'jane' ? this.people.address : undefined);
  }
}

/** Does something while the host stops and its HTTP server still answers. */
@Injectable()
class LastMoment implements BeforeApplicationShutdown {
  do = (): Promise<unknown> => Promise.resolve();

  async beforeApplicationShutdown(): Promise<void> {
    await this.do();
  }
}

describe('A host that calls the module', () => {
  let database: TestDatabase;
  let issuer: TestIssuer;
  let app: INestApplication;
  let api: AlertsApi;

  beforeAll(async () => {
    issuer = await startIssuer();
  });
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });
  afterAll(() => issuer.close());

  async function startHost(options: Partial<AlertsModuleOptions> = {}): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: database.url, autoLoadEntities: true }),
        AlertsModule.forRootAsync({
          imports: [PeopleModule],
          useFactory: () => ({ auth: { issuer: issuer.issuer.url }, ...options }),
        }),
      ],
      providers: [LastMoment],
    }).compile();
    app = module.createNestApplication(new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    api = new AlertsApi(`http://127.0.0.1:${port}`, issuer.issuer);
    await waitUntil(async () => (await api.call('GET', '/alerts', { as: { sub: 'jane' } })).status === 200);
  }

  describe('with a directory of its users', () => {
    const directory = PeopleDirectory;

    it('skips those whom it does not know, by themselves', async () => {
      await startHost({ users: { directory } });
      expect(await api.deliver(firing(), firing({ user: 'ghost' }), firing({ user: 'bob' }))).toMatchObject({
        stored: 2,
        skipped: 1,
        reasons: { unknown_user: 1 },
      });
      expect(await api.openAlerts('ghost')).toEqual([]);
      expect(await api.openAlerts('bob')).toHaveLength(1);
    });

    it('is asked once a webhook, with every id once', async () => {
      await startHost({ users: { directory } });
      const people = app.get(People);
      await api.deliver(firing(), firing({ session: 'jane-2' }), firing({ user: 'bob' }));
      expect(people.asked).toEqual([['jane', 'bob']]);
    });

    it('still ends what a user who is gone had', async () => {
      await startHost({ users: { directory } });
      await api.deliver(firing());
      app.get(People).known.delete('jane');
      expect(await api.deliver(resolved(firing()))).toMatchObject({ resolved: 1 });
    });

    describe('that says where they are written to', () => {
      const email = { server: 'smtp://localhost', from: 'alerts@example.org' };
      const delivery = { email, publicUrl: 'https://alerts.example/api/data' };
      const body = { channels: { email: { enabled: true } } };
      const preferences = (method: string, as: { sub: string; email?: string }) =>
        api.call(method, '/alerts/preferences', { as, ...(method === 'PUT' && { body }) });

      it('has mail go there, unless their token says otherwise', async () => {
        await startHost({ users: { directory }, delivery });
        for (const method of ['GET', 'PUT', 'GET']) {
          expect(await preferences(method, { sub: 'jane' })).toMatchObject({
            status: 200,
            body: { offered: { email: { address: 'jane@people.example' } } },
          });
        }
        expect(await preferences('PUT', { sub: 'jane', email: 'jane@token.example' })).toMatchObject({
          body: { offered: { email: { address: 'jane@token.example' } } },
        });
        expectError(await preferences('PUT', { sub: 'bob' }), 422);
        await api.call('PUT', '/alerts/preferences', { as: { sub: 'jane' }, body: {} });
        app.get(People).address = 'two@people.example, addresses@people.example';
        expectError(await preferences('PUT', { sub: 'jane' }), 422);
      });

      it('is needed only where it is asked: else all is shown while it fails', async () => {
        await startHost({ users: { directory }, delivery });
        app.get(People).isBroken = true;
        expect(await preferences('GET', { sub: 'jane' })).toMatchObject({
          status: 200,
          body: { offered: { email: {} } },
        });
        expect(expectError(await preferences('PUT', { sub: 'jane' }), 503).message).toBe(
          'The user directory cannot be asked right now',
        );
        expect(await preferences('PUT', { sub: 'jane', email: 'jane@token.example' })).toMatchObject({
          status: 200,
        });
      });
    });

    it('stores all while it fails, by default', async () => {
      await startHost({ users: { directory } });
      app.get(People).isBroken = true;
      expect(await api.deliver(firing(), firing({ user: 'ghost' }))).toMatchObject({ stored: 2 });
    });

    it('stores nothing while it fails, where the host wants that, and Alertmanager sends again', async () => {
      await startHost({ users: { directory, onFailure: 'closed' } });
      app.get(People).isBroken = true;
      expectError(await api.postWebhook(webhook([firing()])), 503);
      app.get(People).isBroken = false;
      await api.deliver(firing());
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('says in a dry run whom it does not know', async () => {
      await startHost({ users: { directory } });
      const { body } = await api.postWebhook(webhook([firing({ user: 'ghost' })]), '?dry_run=true');
      expect(body.alerts).toMatchObject([{ result: 'skipped', reason: 'unknown_user' }]);
    });
  });

  it('hears of every change that a user can see, after it is committed', async () => {
    await startHost();
    const heard: AlertChange[] = [];
    app.get(AlertsService).changes.subscribe((change) => heard.push(change));
    await api.deliver(firing());
    await api.deliver(firing());
    await api.deliver(firing({ message: 'Memory usage over 95%' }));
    await api.deliver(resolved(firing()));
    await api.create({ title: 'Hello', message: 'From us', event_type: 'note', user_id: 'bob' });
    await api.update((await api.onlyAlert('bob')).id);
    expect(heard.map(({ change, alert }) => [change, alert.user_id, alert.resolved_reason])).toEqual([
      ['opened', 'jane', null],
      ['updated', 'jane', null],
      ['closed', 'jane', 'resolved'],
      ['opened', 'bob', null],
      ['closed', 'bob', 'manual'],
    ]);
  });

  it('hears of what is stored while it stops, and then that there is no more', async () => {
    await startHost();
    const heard: string[] = [];
    app.get(AlertsService).changes.subscribe({
      next: ({ change }) => heard.push(change),
      complete: () => heard.push('complete'),
    });
    app.get(LastMoment).do = () => api.deliver(firing());
    await app.close();
    expect(heard).toEqual(['opened', 'complete']);
  });

  it('erases a user, and nobody else', async () => {
    await startHost();
    await api.deliver(firing(), firing({ session: 'jane-2' }), firing({ user: 'bob' }));
    await api.deliver(resolved(firing()));
    expect(await app.get(AlertsService).deleteForUser('jane')).toBe(2);
    expect(await execute(database.url, 'SELECT user_id FROM session_alerts.alerts')).toEqual([
      { user_id: 'bob' },
    ]);
  });

  it('has the metrics in its own registry', async () => {
    const registry = new Registry();
    await startHost({ metricsRegistry: registry });
    await api.deliver(firing());
    expect(await registry.metrics()).toContain('session_alerts_received_total 1');
    expect(app.get(AlertsMetrics).registry).toBe(registry);
  });

  it('asks how old the feed is', async () => {
    await startHost();
    expect(await app.get(FeedHealth).check()).toEqual({ status: 'unknown', last_seen: null });
  });

  const alertmanagers = [{ url: 'http://alertmanager:9093' }];

  it.each<[string, Partial<AlertsModuleOptions>]>([
    ['upkeep.expireAfter', { upkeep: { expireAfter: 0 } }],
    ['upkeep.retention', { upkeep: { retention: Number.NaN } }],
    ['reconcile.alertmanagers', { reconcile: { alertmanagers: [] } }],
    ['reconcile.alertmanagers', { reconcile: { alertmanagers: [{ url: 'alertmanager:9093' }] } }],
    ['feed.staleAfter', { feed: { staleAfter: -1 } }],
    ['upkeep.interval must be a number of seconds from 1', { upkeep: { interval: 1e-9 } }],
    ['upkeep.interval', { upkeep: { interval: 1e300 } }],
    ['upkeep.eventTtl', { upkeep: { eventTtl: Infinity } }],
    ['reconcile.interval', { reconcile: { alertmanagers, interval: 0.999 } }],
    ['reconcile.settleTime', { reconcile: { alertmanagers, settleTime: 3_153_600_001 } }],
  ])('is told at boot that %s is wrong', async (option, options) => {
    await expect(startHost(options)).rejects.toThrow(option);
    await startHost();
  });
});
