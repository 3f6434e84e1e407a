import { Logger } from '@nestjs/common';
import type { AlertsMetrics } from '../../metrics/alerts-metrics.service.js';
import { alertsSettings } from '../../options/alerts-settings.js';
import type { AlertmanagersNote, AskedAlertmanagersRepository } from './asked-alertmanagers.repository.js';
import { ALERTMANAGER, GRAFANA } from '../senders.js';
import { AskedAlertmanagers } from './asked-alertmanagers.service.js';

const ASKED = ['http://a.example', 'http://b.example'];
const OTHER = 'http://other.example';

describe('The Alertmanagers that post here', () => {
  /** By whom each series was reported that is not asked. */
  let reported: { seriesKey: number; alertmanager: string }[];
  let noted: AlertmanagersNote;
  let notes: AlertmanagersNote[];
  let gauges: { name: string; help: string; read: () => Promise<number> }[];
  let said: string[];

  beforeEach(() => {
    [reported, notes, gauges, said] = [[], [], [], []];
    noted = { addresses: ASKED, knownAs: [], unasked: [] };
    for (const level of ['warn', 'log'] as const) {
      jest
        .spyOn(Logger.prototype, level)
        .mockImplementation((...words: unknown[]) => said.push(`${level}: ${words.join()}`));
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  function create(...urls: string[]): AskedAlertmanagers {
    const auth = { issuer: 'https://issuer.example' };
    const reconcile = urls.length > 0 ? { alertmanagers: urls.map((url) => ({ url })) } : undefined;
    return new AskedAlertmanagers(
      alertsSettings(reconcile ? { auth, reconcile } : { auth }),
      {
        listReported: () => Promise.resolve(reported),
        read: () => Promise.resolve(noted),
        note: (_replica: string, note: AlertmanagersNote) => {
          notes.push(note);
          return Promise.resolve();
        },
      } as unknown as AskedAlertmanagersRepository,
      {
        addGauge: (name: string, help: string, read: () => Promise<number>) =>
          gauges.push({ name, help, read }),
      } as unknown as AlertsMetrics,
    );
  }

  /** What the other one has reported and fires here: so many that those that are asked list, and so many not. */
  function report(listed: number, missing: number, alertmanager = OTHER): void {
    for (let seriesKey = 0; seriesKey < listed + missing; seriesKey += 1) {
      reported.push({ seriesKey: seriesKey < listed ? seriesKey : seriesKey + 1_000, alertmanager });
    }
  }

  const keys = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, index) => from + index);
  /** All that is reported fires here; those up to a thousand are listed. */
  const FIRING = [...keys(0, 100), ...keys(1_000, 1_100)].map((seriesKey) => ({ seriesKey }));
  const LISTED = new Set(keys(0, 100));

  async function learn(asked: AskedAlertmanagers, known = LISTED): Promise<number[]> {
    return (await asked.learn('replica', FIRING, known)).map(({ seriesKey }) => seriesKey);
  }

  it('are all alike where nothing is reconciled', () => {
    expect(create().unaskedNameOf(OTHER, ALERTMANAGER)).toBeUndefined();
    expect(gauges).toEqual([]);
  });

  it.each([
    ['of an address that is asked', 'http://a.example', undefined],
    ['of one with slashes at its end', 'http://b.example//', undefined],
    ['of one written in another way', 'HTTP://A.example:80/', undefined],
    ['that does not say its name', '', undefined],
    ['of another', `${OTHER}/`, OTHER],
    ['of another path', 'http://a.example/path/', 'http://a.example/path'],
    ['of what is no address', 'alertmanager\0', 'alertmanager\uFFFD'],
    ['of a long name', `http://${'x'.repeat(300)}/`, `http://${'x'.repeat(193)}`],
  ])('are known by their external URL: one %s', (_what, externalUrl, name) => {
    expect(create('http://b.example/', 'http://a.example').unaskedNameOf(externalUrl, ALERTMANAGER)).toBe(
      name,
    );
  });

  it('are never asked for what Grafana posts, and it is none of them', async () => {
    const name = 'grafana:http://a.example';
    expect(create().unaskedNameOf('http://a.example', GRAFANA)).toBe(name);
    const asked = create(...ASKED);
    expect(asked.unaskedNameOf('http://a.example/', GRAFANA)).toBe(name);
    // Listed by those that are asked or not: nothing is learned of it, and nothing of it is closed.
    report(30, 0, name);
    expect(await learn(asked)).toEqual([...keys(30, 100), ...keys(1_000, 1_100)]);
    report(0, 50, name);
    expect(await learn(asked)).toEqual([...keys(30, 100), ...keys(1_050, 1_100)]);
    expect(await learn(asked)).toEqual([...keys(30, 100), ...keys(1_050, 1_100)]);
    expect([notes, said]).toEqual([[], []]);
  });

  it('are those of whom it was noted by another replica that asks the same', async () => {
    const asked = create(...ASKED.toReversed());
    noted = { addresses: ASKED, knownAs: [OTHER], unasked: ['http://c.example'] };
    await asked.refresh();
    expect([
      asked.unaskedNameOf(OTHER, ALERTMANAGER),
      asked.unaskedNameOf('http://c.example', ALERTMANAGER),
    ]).toEqual([undefined, 'http://c.example']);
    const [gauge] = gauges;
    expect([gauge?.name, gauge?.help]).toEqual([
      'session_alerts_unasked_alertmanagers',
      'Alertmanagers that post here and that reconciling does not ask: nothing that they report is closed as gone',
    ]);
    expect(await gauge?.read()).toBe(1);
    noted = { ...noted, addresses: ['http://a.example'] };
    await asked.refresh();
    expect([asked.unaskedNameOf(OTHER, ALERTMANAGER), await gauge?.read()]).toEqual([OTHER, 0]);
  });

  it.each([
    [1, 0, true],
    [10, 1, true],
    [9, 1, false],
    [20, 2, true],
    [0, 1, false],
    [0, 0, false],
  ])(
    'are the same as those asked where these list %d of theirs and lack %d: %s',
    async (listed, missing, isSame) => {
      const asked = create(...ASKED);
      report(listed, missing);
      await learn(asked);
      expect(asked.unaskedNameOf(OTHER, ALERTMANAGER)).toBe(isSame ? undefined : OTHER);
      expect(notes).toEqual(isSame ? [{ addresses: ASKED, knownAs: [OTHER], unasked: [] }] : []);
      expect(said).toEqual(
        isSame
          ? [`log: Those that are asked list what Alertmanager "${OTHER}" reports: it is one of them`]
          : [],
      );
    },
  );

  it('answer for what they alone have reported, from the next time on also where they turned out the same', async () => {
    const asked = create(...ASKED);
    report(2, 0);
    reported.push({ seriesKey: 50, alertmanager: 'http://a.example' });
    const all = FIRING.map(({ seriesKey }) => seriesKey);
    expect(await learn(asked)).toEqual(all.slice(2));
    expect(await learn(asked)).toEqual(all);
    expect(notes).toHaveLength(1);
  });

  it('are named in the log when they have been in doubt twice, and noted', async () => {
    const asked = create(...ASKED);
    report(1, 5);
    await learn(asked);
    expect([notes, said]).toEqual([[], []]);
    await learn(asked);
    expect(notes).toEqual([{ addresses: ASKED, knownAs: [], unasked: [OTHER] }]);
    expect(said).toEqual([
      `warn: Alertmanager "${OTHER}" posts here and reconciling does not ask it: nothing that it reports is closed as gone or silenced. Add its address to ALERTMANAGER_URLS (reconcile.alertmanagers)`,
    ]);
    await learn(asked);
    expect([notes.length, said.length]).toEqual([1, 1]);
  });

  it('are not suspected by what does not fire here, nor once, nor twice with a pause', async () => {
    const asked = create(...ASKED);
    reported = [{ seriesKey: 9_999, alertmanager: OTHER }];
    await learn(asked);
    await learn(asked);
    report(0, 1);
    await learn(asked);
    reported = [];
    await learn(asked);
    report(0, 1);
    await learn(asked);
    expect([notes, said]).toEqual([[], []]);
  });

  it('stay named as long as they report, whatever fires of theirs, until they turn out the same', async () => {
    const asked = create(...ASKED);
    noted = { addresses: ASKED, knownAs: ['http://known.example'], unasked: [OTHER] };
    await asked.refresh();
    reported = [{ seriesKey: 9_999, alertmanager: OTHER }];
    await learn(asked);
    expect(notes).toEqual([]);
    reported = [];
    report(3, 0);
    await learn(asked);
    expect(notes).toEqual([{ addresses: ASKED, knownAs: ['http://known.example', OTHER], unasked: [] }]);
  });

  it('are forgotten when they report no more', async () => {
    const asked = create(...ASKED);
    noted = { addresses: ASKED, knownAs: [], unasked: [OTHER] };
    await asked.refresh();
    await learn(asked);
    expect(notes).toEqual([{ addresses: ASKED, knownAs: [], unasked: [] }]);
    expect(said).toEqual([]);
  });

  it('are named in their order, twenty at the most', async () => {
    const asked = create(...ASKED);
    const names = Array.from(
      { length: 21 },
      (_, number) => `http://${String(number).padStart(2, '0')}.example`,
    );
    for (const name of names.toReversed()) report(0, 1, name);
    await learn(asked);
    await learn(asked);
    expect(notes.map(({ unasked }) => unasked)).toEqual([names.slice(0, 20)]);
    expect(said).toHaveLength(20);
  });
});
