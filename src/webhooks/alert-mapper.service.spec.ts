import { firing, minute, resolved } from '../../test/support/alerts.js';
import type { FiringSpec } from '../../test/support/alerts.js';
import type { FiringObservation, Observation } from '../alerts/observation.js';
import { AlertMapper } from './alert-mapper.service.js';
import { ALERTMANAGER, GRAFANA } from './senders.js';

const mapper = new AlertMapper({ feed: { alertname: 'Watchdog', staleAfter: 600_000 } });

function observed(alert: unknown): Observation {
  const mapped = mapper.map(alert, ALERTMANAGER);
  if (!('observation' in mapped)) throw new Error(`The alert became ${JSON.stringify(mapped)}`);
  return mapped.observation;
}

function observedFiring(spec: FiringSpec): FiringObservation {
  return observed(firing(spec)) as FiringObservation;
}

describe('A firing alert', () => {
  it('becomes all that is needed to show it to its user', () => {
    const alert = firing({
      user: 'ann',
      session: 'ann-1',
      name: 'RenkuSessionHighDiskUsage',
      severity: 'critical',
      title: 'Disk nearly full',
      message: 'Volume data is at 95%',
      startsAt: minute(3),
      annotations: {
        runbook_url: 'https://docs.example/disk',
        action_label: 'Get a larger volume',
        action_url: 'https://sessions.example/volumes',
      },
    });
    expect(observed(alert)).toMatchObject({
      status: 'firing',
      userId: 'ann',
      sessionName: 'ann-1',
      eventType: 'RenkuSessionHighDiskUsage',
      title: 'Disk nearly full',
      message: 'Volume data is at 95%',
      severity: 'critical',
      kind: 'condition',
      runbookUrl: 'https://docs.example/disk',
      action: { label: 'Get a larger volume', url: 'https://sessions.example/volumes' },
      startsAt: new Date(minute(3)),
      seriesFingerprint: alert.fingerprint,
    });
  });

  it('has no severity and no runbook where none is said', () => {
    expect(observedFiring({ severity: '' })).toMatchObject({ severity: null, runbookUrl: null });
  });

  it('may be of a session with as long a name as is kept', () => {
    const session = 's'.repeat(255);
    expect(observedFiring({ session })).toMatchObject({ sessionName: session });
  });

  it('has no alertname where that is empty', () => {
    const alert = firing();
    const labels = { ...alert.labels, alertname: '' };
    expect(observed({ ...alert, labels })).toMatchObject({
      isNamed: false,
      eventType: alert.annotations['title'],
    });
  });

  it('takes its title for its event type where it has no alertname', () => {
    expect(observedFiring({ name: '', title: 'Test alert' })).toMatchObject({ eventType: 'Test alert' });
  });

  it.each([
    ['event', 'event'],
    ['condition', 'condition'],
    ['', 'condition'],
    ['Event', 'condition'],
    ['something else', 'condition'],
  ])('with alert_kind "%s" is of the kind %s', (label, kind) => {
    expect(observedFiring({ labels: { alert_kind: label } })).toMatchObject({ kind });
  });

  it.each([
    ['http://docs.example/disk', 'http://docs.example/disk'],
    ['javascript:alert(1)', null],
    ['data:text/html,<script>alert(1)</script>', null],
    ['/docs/disk', null],
    ['https://', null],
    ['https://docs.example/a b', null],
    [`https://docs.example/${'x'.repeat(2_000)}`, null],
    ['https://docs.example/'.padEnd(2_000, 'x'), 'https://docs.example/'.padEnd(2_000, 'x')],
  ])('with the runbook %s links to %s', (url, shown) => {
    expect(observedFiring({ annotations: { runbook_url: url } })).toMatchObject({ runbookUrl: shown });
  });

  const ADDRESS = 'https://sessions.example/volumes';

  it.each([
    ['no address', { action_label: 'Resize' }],
    ['no label', { action_url: ADDRESS }],
    ['a blank label', { action_label: ' \n', action_url: ADDRESS }],
    ['an address that is none of a page', { action_label: 'Resize', action_url: 'javascript:alert(1)' }],
    ['an address without its host', { action_label: 'Resize', action_url: '/volumes' }],
    ['a long address', { action_label: 'Resize', action_url: ADDRESS.padEnd(2_001, 'x') }],
  ])('has no action where it has %s', (_what, annotations) => {
    expect(observedFiring({ annotations }).action).toBeUndefined();
  });

  it.each([
    ['r'.repeat(60), 'r'.repeat(60)],
    ['r'.repeat(61), `${'r'.repeat(53)}… [cut]`],
    ['Resize\0', 'Resize\uFFFD'],
  ])('with the label %j has an action called %j', (label, shown) => {
    expect(observedFiring({ annotations: { action_label: label, action_url: ADDRESS } }).action).toEqual({
      label: shown,
      url: ADDRESS,
    });
  });

  it.each([undefined, '', '0001-01-01T00:00:00Z', 'yesterday', 7])(
    'names no start with startsAt %p',
    (startsAt) => {
      expect(observed({ ...firing(), startsAt }).startsAt).toBeUndefined();
    },
  );
});

describe('A resolved alert', () => {
  it('becomes the end of its series', () => {
    const alert = resolved(firing({ user: 'ann', session: 'ann-1' }), minute(5));
    expect(observed(alert)).toEqual({
      status: 'resolved',
      userId: 'ann',
      sessionName: 'ann-1',
      seriesKey: observed(firing({ user: 'ann', session: 'ann-1' })).seriesKey,
      fingerprint: observedFiring({ user: 'ann', session: 'ann-1' }).fingerprint,
      isNamed: true,
      seriesFingerprint: alert.fingerprint,
      startsAt: new Date(minute(0)),
      endsAt: new Date(minute(5)),
    });
  });

  it('needs its labels only', () => {
    const { labels } = firing();
    expect(observed({ status: 'resolved', labels })).toMatchObject({
      status: 'resolved',
      userId: 'jane',
      sessionName: 'jane-1',
      seriesKey: observed(firing()).seriesKey,
    });
  });

  it('without an alertname is of an alert that its title would say', () => {
    const alert = firing({ name: '' });
    expect(observed(alert)).toMatchObject({
      isNamed: false,
      fingerprint: observedFiring({ name: '' }).fingerprint,
    });
    expect(observed(resolved(alert))).toMatchObject({ isNamed: false, fingerprint: undefined });
  });

  it.each([undefined, '0001-01-01T00:00:00Z', 'soon'])('names no end with endsAt %p', (endsAt) => {
    expect(observed({ ...resolved(firing()), endsAt })).toMatchObject({ endsAt: undefined });
  });
});

describe('The identity of an alert', () => {
  const fingerprint = (spec: FiringSpec): number => observedFiring(spec).fingerprint;

  it.each<[string, FiringSpec]>([
    ['volumes', { labels: { persistentvolumeclaim: 'data' } }],
    ['severities', { severity: 'critical' }],
    ['titles', { title: 'Another title' }],
    ['messages', { message: 'Another message' }],
    ['starts', { startsAt: minute(9) }],
  ])('is the same for two %s', (_what, spec) => {
    expect(fingerprint(spec)).toBe(fingerprint({}));
  });

  it.each<[string, FiringSpec]>([
    ['users', { user: 'ann' }],
    ['sessions', { session: 'jane-2' }],
    ['event types', { name: 'RenkuSessionOOMKilled' }],
    ['users who differ in case', { user: 'Jane' }],
  ])('differs for two %s', (_what, spec) => {
    expect(fingerprint(spec)).not.toBe(fingerprint({}));
  });

  it('tells names apart whose text would run together', () => {
    expect(fingerprint({ user: 'a', session: 'bc' })).not.toBe(fingerprint({ user: 'ab', session: 'c' }));
  });

  it('tells event types apart that differ beyond what is kept of them', () => {
    const long = 'x'.repeat(300);
    expect(fingerprint({ name: `${long}1` })).not.toBe(fingerprint({ name: `${long}2` }));
  });
});

describe('The identity of a series', () => {
  it("is Alertmanager's fingerprint within a user's session", () => {
    const seriesKey = (spec: FiringSpec): number =>
      observed({ ...firing(spec), fingerprint: '00112233445566ff' }).seriesKey;
    expect(seriesKey({ severity: 'critical' })).toBe(seriesKey({}));
    expect(seriesKey({ user: 'ann' })).not.toBe(seriesKey({}));
    expect(seriesKey({ session: 'jane-2' })).not.toBe(seriesKey({}));
  });

  it.each([
    undefined,
    null,
    '',
    'no hex digits at all',
    'AF76DC6588FAD5C9',
    'af76',
    'x00112233445566ff',
    '00112233445566ffx',
    42,
    ['00112233445566ff'],
    {},
  ])('comes from the labels where the fingerprint is %p', (fingerprint) => {
    expect(observed({ ...firing(), fingerprint }).seriesKey).toBe(observed(firing()).seriesKey);
  });

  it('takes a label that is no text for an absent one', () => {
    const { labels, ...alert } = firing();
    const padded = { ...alert, labels: { ...labels, number: 7, list: ['x'] }, fingerprint: undefined };
    expect(observed(padded).seriesKey).toBe(observed(firing()).seriesKey);
  });

  it('takes an empty label for an absent one', () => {
    const { labels, ...alert } = firing();
    const padded = { ...alert, labels: { ...labels, empty: '' }, fingerprint: undefined };
    expect(observed(padded).seriesKey).toBe(observed(firing()).seriesKey);
  });
});

describe('The watchdog', () => {
  it('is no alert for anybody, whether it fires or has ended', () => {
    const watchdog = firing({ name: 'Watchdog' });
    expect(mapper.map(watchdog, ALERTMANAGER)).toEqual({ watchdog: true });
    expect(mapper.map(resolved(watchdog), ALERTMANAGER)).toEqual({ skipped: 'watchdog_resolved' });
  });
});

describe("An alert of Grafana's", () => {
  const alertOf = (annotations: Record<string, string>): unknown => ({ ...firing(), annotations });
  const titleOf = (annotations: Record<string, string>, sender = GRAFANA): unknown => {
    const mapped = mapper.map(alertOf({ description: 'text', ...annotations }), sender);
    return 'observation' in mapped && mapped.observation.status === 'firing'
      ? mapped.observation.title
      : mapped;
  };

  it('has its summary for a title where it has no title, and only there', () => {
    expect(titleOf({ title: 'Title', summary: 'Summary' })).toBe('Title');
    expect(titleOf({ title: ' ', summary: 'Summary' })).toBe('Summary');
    expect(titleOf({ summary: 'Summary' })).toBe('Summary');
    expect(titleOf({ summary: '\n' })).toEqual({ skipped: 'no_title' });
    expect(titleOf({ summary: 'Summary' }, ALERTMANAGER)).toEqual({ skipped: 'no_title' });
  });

  it.each([
    ['DatasourceNoData', 'datasource_no_data'],
    ['DatasourceError', 'datasource_error'],
  ])('that tells of its data source is told to nobody: %s', (name, skipped) => {
    const alert = firing({ name });
    expect(mapper.map(alert, GRAFANA)).toEqual({ skipped });
    expect(mapper.map(resolved(alert), GRAFANA)).toEqual({ skipped });
    expect(mapper.map(alert, ALERTMANAGER)).toHaveProperty('observation');
  });

  it('is the same as that of the same labels by Alertmanager', () => {
    expect(mapper.map(firing(), GRAFANA)).toEqual(mapper.map(firing(), ALERTMANAGER));
  });
});

describe('An alert that cannot be shown', () => {
  const labelled = (labels: Record<string, unknown>): unknown => ({
    ...firing(),
    labels: { ...firing().labels, ...labels },
  });

  const manyLabels = (more: object, count = 20_001): object => {
    const labels = Object.fromEntries(Array.from({ length: count }, (_, index) => [`label_${index}`, '1']));
    return { ...firing({ labels }), ...more };
  };

  it('is not one with as many labels as it likes and a fingerprint', () => {
    expect(observed(manyLabels({ fingerprint: '00112233445566ff' })).userId).toBe('jane');
  });

  it('is not one with as many labels as a fingerprint can be made of', () => {
    const count = 20_000 - Object.keys(firing().labels).length;
    expect(observed(manyLabels({ fingerprint: undefined }, count)).userId).toBe('jane');
  });

  it.each<[string, string, unknown]>([
    ['not_an_object', 'is null', null],
    ['not_an_object', 'is a text', 'alert'],
    ['not_an_object', 'is a number', 7],
    ['not_an_object', 'is an array', [firing()]],
    ['no_status', 'has no status', { ...firing(), status: undefined }],
    ['no_status', 'has a status that nobody knows', { ...firing(), status: 'suppressed' }],
    ['no_user', 'has no labels', { ...firing(), labels: undefined }],
    ['no_user', 'has a list for labels', { ...firing(), labels: ['safe_username', 'jane'] }],
    ['no_user', 'names no user', labelled({ safe_username: undefined })],
    ['no_user', 'names an empty user', labelled({ safe_username: '' })],
    ['no_user', 'names a user that is no text', labelled({ safe_username: 42 })],
    ['invalid_user', 'has the <nil> of an older kube-state-metrics', labelled({ safe_username: '<nil>' })],
    ['no_session', 'names no session', labelled({ statefulset: undefined })],
    ['no_session', 'names a session that is no text', labelled({ statefulset: ['jane-1'] })],
    ['invalid_session', 'names a session that is too long', labelled({ statefulset: 's'.repeat(256) })],
    ['no_title', 'has no annotations', { ...firing(), annotations: undefined }],
    ['no_title', 'has no title', { ...firing(), annotations: { description: 'text' } }],
    ['no_title', 'has a blank title', firing({ title: ' \n ' })],
    ['no_message', 'has no description', { ...firing(), annotations: { title: 'text' } }],
    ['no_message', 'has a blank description', firing({ message: '\t' })],
    [
      'too_many_labels',
      'has too many labels to make a fingerprint of',
      manyLabels({ fingerprint: undefined }),
    ],
  ])('says %s where it %s', (skipped, _what, alert) => {
    expect(mapper.map(alert, ALERTMANAGER)).toEqual({ skipped });
  });
});
