import { Test } from '@nestjs/testing';
import { AlertsService } from 'nestjs-session-alerts';

/** What a host's own code may look like. */
class Sessions {
  constructor(private readonly alerts: AlertsService) {}

  end(name: string): Promise<number> {
    return this.alerts.resolveForSession(name);
  }
}

it('imports the package without configuration, and stands in for its service', async () => {
  const ended: string[] = [];
  const alerts = {
    resolveForSession: (name: string) => {
      ended.push(name);
      return Promise.resolve(1);
    },
  };
  const testing = await Test.createTestingModule({
    providers: [
      { provide: AlertsService, useValue: alerts },
      { provide: Sessions, useFactory: (one: AlertsService) => new Sessions(one), inject: [AlertsService] },
    ],
  }).compile();
  await expect(testing.get(Sessions).end('jane-1')).resolves.toBe(1);
  expect(ended).toEqual(['jane-1']);
});
