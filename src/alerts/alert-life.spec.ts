import { AlertLife, firingSeries, SILENCING_REASONS } from './alert-life.js';
import type {
  AlertState,
  KnownState,
  LifeChanges,
  PastSeries,
  ResolvedReason,
  SeriesState,
} from './alert-life.js';
import type { FiringObservation, Observation, Outcome, ResolvedObservation } from './observation.js';

const NOW = Date.parse('2026-01-15T08:00:00Z');
const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** So many seconds before now, as a moment. */
function ago(seconds: number): Date {
  return new Date(NOW - seconds * SECOND);
}

/** The arrival of what came so many seconds before now (µs). */
function arrived(seconds: number): number {
  return (NOW - seconds * SECOND) * 1000;
}

const SERIES_KEYS = ['data', 'home', 'tmp', 'scratch'];

function seriesOf(volume: string) {
  return {
    seriesKey: SERIES_KEYS.indexOf(volume),
    seriesFingerprint: volume,
    userId: 'jane',
    sessionName: 'jane-1',
    isNamed: true,
  };
}

/** A volume of Jane's session that fires since an hour. */
function full(volume: string, more: Partial<FiringObservation> = {}): FiringObservation {
  return {
    ...seriesOf(volume),
    status: 'firing',
    fingerprint: 7,
    eventType: 'HighDiskUsage',
    title: `${volume} is nearly full`,
    message: `${volume} is at 95%`,
    severity: 'warning',
    kind: 'condition',
    runbookUrl: null,
    startsAt: ago(3600),
    ...more,
  };
}

/** Its end, a minute ago. */
function emptied(volume: string, more: Partial<ResolvedObservation> = {}): ResolvedObservation {
  return {
    ...seriesOf(volume),
    status: 'resolved',
    fingerprint: 7,
    startsAt: ago(3600),
    endsAt: ago(60),
    ...more,
  };
}

/** What is stored, to which batches of observations are applied one after the other. */
class Story {
  open: AlertState[] = [];
  known: Pick<KnownState, 'past' | 'sightings'> = { past: [], sightings: [] };
  /** Of the last batch. */
  changes: LifeChanges = { now: new Date(NOW), opened: [], rewritten: [], closed: [], sightings: [] };

  /** Applies observations that arrived together, so many seconds before now. */
  tell(seconds: number, observations: Observation[], endingReason?: ResolvedReason): Outcome[] {
    const life = new AlertLife(new Date(NOW), { ...this.known, alerts: structuredClone(this.open) });
    const outcomes = observations.map((one) => life.observe(one, arrived(seconds), endingReason));
    this.changes = life.changes();
    const { opened, rewritten, closed, sightings } = this.changes;
    const gone = [...rewritten, ...closed].map(({ alert }) => alert.id);
    this.open = [
      ...this.open.filter(({ id }) => !gone.includes(id)),
      ...rewritten.map(({ alert }) => alert),
      ...opened.filter(({ resolvedReason }) => resolvedReason === null),
    ];
    for (const { alert, reason } of closed) this.remember(alert, reason);
    for (const alert of opened) if (alert.resolvedReason) this.remember(alert, alert.resolvedReason);
    this.known.sightings.push(...sightings);
    return outcomes;
  }

  /** The same of one observation. */
  say(seconds: number, observation: Observation): Outcome | undefined {
    return this.tell(seconds, [observation])[0];
  }

  /** A person closes all that is open. */
  dismiss(): void {
    for (const alert of this.open.splice(0)) this.remember(alert, 'dismissed');
  }

  get only(): AlertState {
    expect(this.open).toHaveLength(1);
    return this.open[0]!;
  }

  /** What the last batch changed of the one alert that it rewrote. */
  get rewritten(): { isUpdated: boolean; isEscalated: boolean; isSeen: boolean } {
    expect(this.changes.rewritten).toHaveLength(1);
    const { isUpdated, isEscalated, isSeen } = this.changes.rewritten[0]!;
    return { isUpdated, isEscalated, isSeen };
  }

  series(volume: string): SeriesState | undefined {
    return this.only.series.find(({ fingerprint }) => fingerprint === volume);
  }

  private remember({ series }: AlertState, reason: ResolvedReason): void {
    const isSilent = SILENCING_REASONS.some((one) => one === reason);
    for (const { fingerprint, startsAt, endsAt, arrival } of series) {
      this.known.past.push({
        seriesKey: SERIES_KEYS.indexOf(fingerprint),
        startsAt,
        endsAt,
        arrival,
        isSilent,
      });
    }
  }
}

const REFRESHED: Outcome = { result: 'refreshed' };
const ignored = (reason: string) => ({ result: 'ignored', reason });
const sighted = (volume: string, seconds: number) => ({
  seriesKey: SERIES_KEYS.indexOf(volume),
  arrival: arrived(seconds),
  endsAt: null,
});

describe('The rules of an alert, decided in memory', () => {
  let story: Story;

  beforeEach(() => {
    story = new Story();
  });

  describe('rule 1: what fires opens an alert', () => {
    it('with its words, and the series behind it', () => {
      const action = { label: 'Clean up', url: 'https://sessions.example' };
      const seen = full('data', {
        severity: 'critical',
        kind: 'event',
        runbookUrl: 'https://docs.example',
        action,
      });
      expect(story.say(9, seen)).toEqual({ result: 'opened' });
      const words = {
        title: 'data is nearly full',
        message: 'data is at 95%',
        severity: 'critical',
        runbookUrl: 'https://docs.example',
        action,
      };
      const series = {
        ...words,
        fingerprint: 'data',
        startsAt: NOW - HOUR,
        endsAt: null,
        arrival: arrived(9),
      };
      expect(story.changes).toEqual({
        now: new Date(NOW),
        opened: [
          {
            ...words,
            id: expect.stringMatching(/^\w{26}$/) as string,
            fingerprint: 7,
            userId: 'jane',
            sessionName: 'jane-1',
            eventType: 'HighDiskUsage',
            kind: 'event',
            source: 'alertmanager',
            series: [series],
            resolvedReason: null,
          },
        ],
        rewritten: [],
        closed: [],
        sightings: [],
      });
    });

    it.each<[string, Partial<FiringObservation>]>([
      ['user', { userId: 'ann' }],
      ['identity', { fingerprint: 8 }],
    ])('of another %s another', (_what, more) => {
      story.tell(9, [full('data'), full('home', more)]);
      expect(story.changes.opened).toHaveLength(2);
    });
  });

  describe('rule 3: what fires on', () => {
    beforeEach(() => {
      story.say(90, full('data'));
    });

    it('is noted, and nothing else where it says the same', () => {
      expect(story.say(30, full('data'))).toEqual(REFRESHED);
      expect(story.changes).toMatchObject({ opened: [], rewritten: [], closed: [] });
      expect(story.changes.sightings).toEqual([sighted('data', 30)]);
    });

    it.each<[string, Partial<FiringObservation>]>([
      ['title', { title: 'Another' }],
      ['message', { message: 'Another' }],
      ['severity', { severity: 'info' }],
      ['runbook', { runbookUrl: 'https://docs.example' }],
      ['action', { action: { label: 'Clean up', url: 'https://sessions.example' } }],
    ])('shows another %s, and that is an update', (_what, more) => {
      expect(story.say(30, full('data', more))).toEqual(REFRESHED);
      expect(story.rewritten).toEqual({ isUpdated: true, isEscalated: false, isSeen: true });
      expect(story.only).toMatchObject(more);
      expect(story.series('data')).toMatchObject({ ...more, arrival: arrived(30) });
      expect(story.changes.sightings).toEqual([]);
    });

    it('has escalated where it is graver than before the batch', () => {
      story.say(30, full('data', { severity: 'critical' }));
      expect(story.rewritten).toEqual({ isUpdated: true, isEscalated: true, isSeen: true });
      story.tell(20, [full('data', { severity: 'info' }), full('data', { severity: 'critical' })]);
      expect(story.rewritten).toEqual({ isUpdated: false, isEscalated: false, isSeen: true });
    });

    it('becomes an event, and stays one', () => {
      expect(story.say(30, full('data', { kind: 'event' }))).toEqual(REFRESHED);
      expect(story.rewritten).toEqual({ isUpdated: true, isEscalated: false, isSeen: true });
      expect(story.only.kind).toBe('event');
      story.say(20, full('data', { kind: 'event' }));
      expect(story.changes.sightings).toEqual([sighted('data', 20)]);
      story.say(10, full('data', { message: 'Another' }));
      expect(story.only.kind).toBe('event');
    });

    it('tells what has changed since before the batch, not since the last of its observations', () => {
      story.tell(90, [full('data'), full('tmp')]);
      story.say(80, emptied('tmp'));
      story.tell(30, [full('data', { kind: 'event' }), emptied('tmp', { endsAt: ago(30) })]);
      expect(story.rewritten).toMatchObject({ isUpdated: true });
    });

    it('in a later episode is seen, and no update where it says the same', () => {
      story.say(30, full('data', { startsAt: ago(100) }));
      expect(story.rewritten).toEqual({ isUpdated: false, isEscalated: false, isSeen: true });
      expect(story.series('data')).toMatchObject({ startsAt: NOW - 100 * SECOND, endsAt: null });
    });

    it('rule 6: in an older episode is noted, and does not change the words', () => {
      expect(story.say(30, full('data', { startsAt: ago(7200), title: 'Old' }))).toEqual(REFRESHED);
      expect(story.changes.rewritten).toEqual([]);
      expect(story.changes.sightings).toEqual([sighted('data', 30)]);
    });

    it('without a start, or with one of the far future, is of the episode that is known', () => {
      story.say(30, full('data', { title: 'No start', startsAt: undefined }));
      expect(story.series('data')).toMatchObject({ title: 'No start', startsAt: NOW - HOUR });
      story.say(20, full('data', { title: 'Future', startsAt: ago(20 - 61) }));
      expect(story.series('data')).toMatchObject({ title: 'Future', startsAt: NOW - HOUR });
      story.say(20, full('data', { title: 'Skewed', startsAt: ago(20 - 60) }));
      expect(story.series('data')).toMatchObject({ title: 'Skewed', startsAt: NOW + 40 * SECOND });
    });
  });

  it('what opens without a start begins when it arrived, in whole milliseconds', () => {
    const life = new AlertLife(new Date(NOW), { alerts: [], past: [], sightings: [] });
    life.observe(full('data', { startsAt: undefined }), arrived(9) + 999);
    expect(life.changes().opened[0]?.series[0]?.startsAt).toBe(NOW - 9 * SECOND);
  });

  describe('rule 3: of several series', () => {
    it('the gravest is shown, of equals the one that started last', () => {
      story.tell(90, [full('data'), full('home', { severity: 'critical' })]);
      expect(story.only).toMatchObject({ severity: 'critical', title: 'home is nearly full' });
      story.say(80, full('tmp', { severity: 'critical', startsAt: ago(100) }));
      expect(story.only.title).toBe('tmp is nearly full');
      expect(firingSeries(story.only).map(({ fingerprint }) => fingerprint)).toEqual(['tmp', 'home', 'data']);
    });

    it.each([[['data', 'home']], [['home', 'data']]])(
      'that are equal the same is shown, whoever was told last: %p',
      (volumes) => {
        for (const volume of volumes) story.say(90, full(volume));
        expect(firingSeries(story.only).map(({ fingerprint }) => fingerprint)).toEqual(['data', 'home']);
        expect(story.only.title).toBe('data is nearly full');
      },
    );

    it('one that joins is an update, and seen', () => {
      story.say(90, full('home'));
      expect(story.say(80, full('tmp'))).toEqual(REFRESHED);
      expect(story.rewritten).toEqual({ isUpdated: true, isEscalated: false, isSeen: true });
      expect(story.only.title).toBe('home is nearly full');
    });

    it.each<[string, Partial<FiringObservation>, boolean]>([
      ['its words change', { message: 'tmp is at 99%' }, true],
      ['it starts anew', { startsAt: ago(100) }, true],
      ['nothing changes', { kind: 'event' }, true],
      ['it says the same in the same episode', {}, false],
    ])('one that is listed only: %s', (_what, more, isUpdated) => {
      story.tell(90, [full('data', { severity: 'critical' }), full('tmp')]);
      story.say(80, full('tmp', more));
      if (isUpdated) expect(story.rewritten.isUpdated).toBe(true);
      else expect(story.changes.rewritten).toEqual([]);
    });

    it('what is taken back within a batch is no update', () => {
      story.tell(90, [full('data', { severity: 'critical' }), full('tmp')]);
      story.tell(80, [full('tmp', { message: 'Higher' }), full('tmp')]);
      expect(story.rewritten).toEqual({ isUpdated: false, isEscalated: false, isSeen: true });
    });

    it('when the gravest ends the next is shown at once: an update, and nothing was seen', () => {
      story.tell(90, [full('data'), full('home', { severity: 'critical' })]);
      expect(story.say(30, emptied('home'))).toEqual({ result: 'resolved' });
      expect(story.rewritten).toEqual({ isUpdated: true, isEscalated: false, isSeen: false });
      expect(story.only).toMatchObject({ severity: 'warning', title: 'data is nearly full' });
      expect(story.series('home')).toMatchObject({ endsAt: NOW - 60 * SECOND, arrival: arrived(30) });
    });

    it('when another ends that is an update too', () => {
      story.tell(90, [full('data', { severity: 'critical' }), full('home'), full('tmp')]);
      story.say(30, emptied('home'));
      expect(story.rewritten.isUpdated).toBe(true);
      story.say(20, emptied('tmp'));
      expect(story.rewritten.isUpdated).toBe(true);
      expect(story.only.title).toBe('data is nearly full');
    });

    it('a thousand may fire behind one alert, and beyond them what is graver than what it shows', () => {
      const all = Array.from({ length: 1000 }, (_, index) => full(`volume-${index}`));
      story.tell(90, all);
      const [first, second, third] = ['one more', 'another', 'a third'].map((volume) => full(volume));
      expect(story.say(80, first!)).toEqual(ignored('too_many_series'));
      expect(story.only.series).toHaveLength(1000);
      expect(story.changes.rewritten).toEqual([]);
      expect(story.say(70, all[0]!)).toEqual(REFRESHED);

      expect(story.say(60, { ...second!, severity: 'critical' })).toEqual(REFRESHED);
      expect(story.only.title).toBe('another is nearly full');
      expect(story.say(50, { ...third!, severity: 'critical' })).toEqual(ignored('too_many_series'));

      story.tell(40, [emptied('volume-0'), emptied('volume-1')]);
      expect(story.say(30, first!)).toEqual(REFRESHED);
    });
  });

  describe('rules 2 and 4: an end', () => {
    beforeEach(() => {
      story.say(90, full('data'));
    });

    it('of the last series closes the alert', () => {
      expect(story.say(30, emptied('data'))).toEqual({ result: 'resolved' });
      expect(story.open).toEqual([]);
      expect(story.changes).toMatchObject({ opened: [], rewritten: [], sightings: [] });
      expect(story.changes.closed).toMatchObject([
        {
          reason: 'resolved',
          alert: { series: [{ fingerprint: 'data', endsAt: NOW - 60 * SECOND, arrival: arrived(30) }] },
        },
      ]);
    });

    it('closes it for the reason that is given', () => {
      story.tell(30, [emptied('data')], 'reconciled');
      expect(story.changes.closed).toMatchObject([{ reason: 'reconciled' }]);
    });

    it('without a moment is now', () => {
      story.say(30, emptied('data', { endsAt: undefined }));
      expect(story.changes.closed).toMatchObject([{ alert: { series: [{ endsAt: NOW }] } }]);
    });

    it.each([3600, 3601])('%i s ago, when the episode had not begun, is a late copy', (seconds) => {
      expect(story.say(30, emptied('data', { endsAt: ago(seconds) }))).toEqual(ignored('late_resolve'));
      expect(story.changes).toMatchObject({ rewritten: [], closed: [], sightings: [] });
    });

    it('just after the start is believed', () => {
      expect(story.say(30, emptied('data', { endsAt: ago(3599) }))).toEqual({ result: 'resolved' });
    });

    it('before a start that lies in the future is believed from the arrival on', () => {
      story.say(80, full('data', { startsAt: ago(50) }));
      expect(story.say(30, emptied('data', { endsAt: ago(80) }))).toEqual(ignored('late_resolve'));
      expect(story.say(30, emptied('data', { endsAt: ago(79) }))).toEqual({ result: 'resolved' });
    });

    it('of one that opened in the same batch leaves an alert that is closed', () => {
      story.tell(30, [full('home', { fingerprint: 8 }), emptied('home', { fingerprint: 8 })]);
      expect(story.changes).toMatchObject({
        opened: [{ fingerprint: 8, resolvedReason: 'resolved' }],
        rewritten: [],
        closed: [],
      });
    });

    it('rule 5: what fires after it is a new alert, also in the same batch and of the same start', () => {
      const { id } = story.only;
      const outcomes = story.tell(30, [emptied('data'), full('data')]);
      expect(outcomes).toEqual([{ result: 'resolved' }, { result: 'opened' }]);
      expect(story.changes.closed).toHaveLength(1);
      expect(story.only.id).not.toBe(id);
    });

    it('of what no alert stands for is kept', () => {
      expect(story.say(30, emptied('home'))).toEqual(ignored('unknown_series'));
      expect(story.say(30, emptied('tmp', { fingerprint: 8 }))).toEqual(ignored('unknown_series'));
      expect(story.changes.sightings).toEqual([
        { seriesKey: 2, arrival: arrived(30), endsAt: NOW - 60 * SECOND },
      ]);
    });

    it('of what has ended before counts where it is later', () => {
      story.say(90, full('home'));
      story.say(30, emptied('data'));
      expect(story.say(20, emptied('data', { endsAt: ago(50) }))).toEqual(ignored('already_resolved'));
      expect(story.series('data')).toMatchObject({ endsAt: NOW - 50 * SECOND, arrival: arrived(20) });
      expect(story.rewritten).toEqual({ isUpdated: false, isEscalated: false, isSeen: false });
      expect(story.say(10, emptied('data', { endsAt: ago(55) }))).toEqual(ignored('already_resolved'));
      expect(story.series('data')).toMatchObject({ endsAt: NOW - 50 * SECOND, arrival: arrived(10) });
      expect(story.say(15, emptied('data', { endsAt: ago(1) }))).toEqual(ignored('already_resolved'));
      expect(story.series('data')).toMatchObject({ endsAt: NOW - 50 * SECOND, arrival: arrived(10) });
    });
  });

  describe('rule 7: what arrived earlier and is written later', () => {
    beforeEach(() => {
      story.say(50, full('data'));
    });

    it('does not change the words', () => {
      expect(story.say(60, full('data', { title: 'Old' }))).toEqual(ignored('superseded'));
      expect(story.changes).toMatchObject({ rewritten: [], sightings: [] });
      expect(story.say(60, full('data'))).toEqual(ignored('superseded'));
      // In the same moment it does.
      expect(story.say(50, full('data', { title: 'New' }))).toEqual(REFRESHED);
    });

    it('changes them where it is of a later episode', () => {
      expect(story.say(60, full('data', { startsAt: ago(100), title: 'New' }))).toEqual(REFRESHED);
      expect(story.only.title).toBe('New');
    });

    it('does not change them where the series was only noted meanwhile', () => {
      story.say(30, full('data'));
      expect(story.say(40, full('data', { title: 'Old' }))).toEqual(ignored('superseded'));
      expect(story.say(40, emptied('data'))).toEqual(ignored('superseded'));
      expect(story.say(30, full('data', { title: 'New' }))).toEqual(REFRESHED);
    });

    it('is noted no earlier than what was noted', () => {
      story.say(30, full('data'));
      story.say(40, full('data', { startsAt: ago(7200) }));
      expect(story.changes.sightings).toEqual([sighted('data', 30)]);
      story.say(20, full('data'));
      expect(story.changes.sightings).toEqual([sighted('data', 20)]);
      story.known.sightings.reverse();
      story.say(25, full('data', { startsAt: ago(7200) }));
      expect(story.changes.sightings).toEqual([sighted('data', 20)]);
    });

    it('does not end it', () => {
      expect(story.say(60, emptied('data'))).toEqual(ignored('superseded'));
      expect(story.only.series).toHaveLength(1);
      expect(story.say(50, emptied('data'))).toEqual({ result: 'resolved' });
    });

    it('does not open it again', () => {
      story.say(40, emptied('data'));
      expect(story.say(45, full('data'))).toEqual(ignored('superseded'));
      expect(story.open).toEqual([]);
      expect(story.changes).toMatchObject({ opened: [], sightings: [] });
    });

    it('does not open it where the end is all that was heard', () => {
      story.say(40, emptied('home', { fingerprint: 8 }));
      expect(story.say(45, full('home', { fingerprint: 8 }))).toEqual(ignored('superseded'));
      expect(story.say(40, full('home', { fingerprint: 8 }))).toEqual({ result: 'opened' });
    });

    it('opens it where it is of an episode after that end', () => {
      story.say(40, emptied('data'));
      expect(story.say(45, full('data', { startsAt: ago(61) }))).toEqual(ignored('superseded'));
      expect(story.say(45, full('data', { startsAt: ago(60) }))).toEqual({ result: 'opened' });
    });

    it.each([
      [[20, 30], 'superseded'],
      [[30, 20], 'superseded'],
      [[20, 20], undefined],
    ])('of several ends the one that arrived last counts: %p', ([first = 0, second = 0], reason) => {
      story = new Story();
      story.known.sightings = [
        { seriesKey: 0, arrival: arrived(first), endsAt: NOW - (first === 30 ? 90 : 70) * SECOND },
        { seriesKey: 0, arrival: arrived(second), endsAt: NOW - (first === 30 ? 70 : 90) * SECOND },
      ];
      const outcome = story.say(45, full('data', { startsAt: ago(80) }));
      expect(outcome).toEqual(reason ? ignored(reason) : { result: 'opened' });
    });

    it('does not let a series behind an open alert fire again', () => {
      story.say(50, full('home'));
      story.say(30, emptied('data'));
      expect(story.say(40, full('data', { title: 'Old' }))).toEqual(ignored('superseded'));
      expect(story.changes.rewritten).toEqual([]);
      expect(story.say(40, full('data', { startsAt: ago(60) }))).toEqual(REFRESHED);
      expect(story.series('data')).toMatchObject({ endsAt: null, startsAt: NOW - 60 * SECOND });
      story.say(20, emptied('data', { endsAt: ago(25) }));
      // What arrived later does, whatever its start.
      expect(story.say(10, full('data'))).toEqual(REFRESHED);
      expect(story.series('data')).toMatchObject({ endsAt: null });
    });

    it('changes nothing where the series was noted meanwhile, and has ended', () => {
      story.say(50, full('home'));
      story.say(30, emptied('home'));
      story.known.sightings.push(sighted('home', 35));
      expect(story.say(40, full('home'))).toEqual(ignored('superseded'));
      expect(story.changes.rewritten).toEqual([]);
    });

    it('stood behind the open alert all the same, and has ended', () => {
      story.say(40, emptied('home'));
      expect(story.say(45, full('home'))).toEqual(ignored('superseded'));
      expect(story.rewritten).toEqual({ isUpdated: false, isEscalated: false, isSeen: false });
      expect(story.series('home')).toMatchObject({
        title: 'home is nearly full',
        startsAt: NOW - HOUR,
        endsAt: NOW - 60 * SECOND,
        arrival: arrived(40),
      });
      // Rule 8: who closes the alert by hand silences it too.
      story.dismiss();
      expect(story.say(10, full('home'))).toEqual(ignored('closed_by_hand'));
    });

    it('did not where it had stood behind an alert before', () => {
      story.known.past = [
        { seriesKey: 1, startsAt: NOW - HOUR, endsAt: NOW - 60_000, arrival: arrived(40), isSilent: false },
      ];
      expect(story.say(45, full('home'))).toEqual(ignored('superseded'));
      expect(story.changes.rewritten).toEqual([]);
    });

    it.each([
      [0.999, 'superseded'],
      [1, undefined],
      [3600, undefined],
    ])(
      'is written all the same where the other is %f s ahead of now: a clock was set back',
      (ahead, reason) => {
        story = new Story();
        story.say(-ahead, full('data'));
        expect(story.say(0, full('data', { title: 'New' }))).toEqual(reason ? ignored(reason) : REFRESHED);
      },
    );
  });

  describe('rule 8: what a person has closed', () => {
    beforeEach(() => {
      story.say(90, full('data'));
      story.dismiss();
    });

    it.each<[string, Date | undefined]>([
      ['in the same episode', ago(3600)],
      ['in an older one', ago(3601)],
      ['without a start', undefined],
      ['with a start in the far future', ago(-3600)],
    ])('stays closed %s', (_what, startsAt) => {
      expect(story.say(30, full('data', { startsAt }))).toEqual(ignored('closed_by_hand'));
      expect(story.changes).toMatchObject({ opened: [], sightings: [] });
    });

    it('opens again in a later one', () => {
      expect(story.say(30, full('data', { startsAt: ago(3599) }))).toEqual({ result: 'opened' });
    });

    it('is silent up to the last episode that was closed', () => {
      const silent = (seconds: number): PastSeries => ({
        seriesKey: 1,
        startsAt: NOW - seconds * SECOND,
        endsAt: null,
        arrival: arrived(90),
        isSilent: true,
      });
      for (const past of [
        [silent(300), silent(200), silent(250)],
        [silent(200), silent(300)],
      ]) {
        story.known.past = past;
        expect(story.say(30, full('home', { startsAt: ago(200) }))).toEqual(ignored('closed_by_hand'));
        expect(story.say(30, full('home', { startsAt: ago(250) }))).toEqual(ignored('closed_by_hand'));
      }
    });

    it('is not silent where it ended by itself', () => {
      for (const past of story.known.past) past.isSilent = false;
      expect(story.say(30, full('data'))).toEqual({ result: 'opened' });
    });
  });

  describe('a series without a name', () => {
    const nameless = (title: string, more: Partial<FiringObservation> = {}) =>
      full('data', { isNamed: false, title, fingerprint: title.length, ...more });
    const end = emptied('data', { isNamed: false, fingerprint: undefined });

    beforeEach(() => {
      story.tell(90, [full('home', { fingerprint: 8 }), nameless('Disk')]);
      expect(story.open).toHaveLength(2);
    });

    it('is found behind its alert, whatever its title is by then', () => {
      expect(story.say(30, nameless('Another disk'))).toEqual(REFRESHED);
      expect(story.open.map(({ title }) => title)).toContain('Another disk');
      expect(story.say(20, end)).toEqual({ result: 'resolved' });
      expect(story.only.fingerprint).toBe(8);
    });

    it.each([{ userId: 'ann' }, { sessionName: 'jane-2' }])('is another one where it is of %p', (more) => {
      expect(story.say(30, { ...end, ...more })).toEqual(ignored('unknown_series'));
      expect(story.say(30, nameless('Another disk', more))).toEqual({ result: 'opened' });
    });

    it('opens an alert by its title where it stands behind none', () => {
      expect(story.say(30, { ...end, seriesFingerprint: 'tmp', seriesKey: 2 })).toEqual(
        ignored('unknown_series'),
      );
      const other = nameless('Disk', { seriesFingerprint: 'tmp', seriesKey: 2 });
      expect(story.say(30, other)).toEqual(REFRESHED);
      expect(
        story.say(20, { ...other, title: 'Yet another', fingerprint: 99, seriesFingerprint: 'x' }),
      ).toEqual({ result: 'opened' });
    });

    it('is not looked for where it has a name', () => {
      expect(story.say(30, nameless('Another disk', { isNamed: true }))).toEqual({ result: 'opened' });
    });
  });

  describe('what does not end by itself', () => {
    it('rule 10: an event keeps its last words when its series have ended', () => {
      story.tell(90, [full('data', { kind: 'event' }), full('home', { severity: 'critical' })]);
      story.say(30, emptied('data'));
      story.say(20, emptied('home'));
      expect(story.changes.closed).toEqual([]);
      expect(story.rewritten).toEqual({ isUpdated: false, isEscalated: false, isSeen: false });
      expect(story.only).toMatchObject({ title: 'home is nearly full', severity: 'critical' });
      expect(firingSeries(story.only)).toEqual([]);
    });

    it('rule 16: an event ends all the same where a silence withholds it', () => {
      story.say(90, full('data', { kind: 'event' }));
      story.tell(60, [emptied('data')], 'silenced');
      expect(story.changes.closed).toMatchObject([{ reason: 'silenced' }]);
      expect(story.open).toEqual([]);
    });

    it('what an administrator opened stays when what fired under its name has ended', () => {
      story.say(90, full('data'));
      story.only.source = 'api';
      expect(story.say(30, emptied('data'))).toEqual({ result: 'resolved' });
      expect(story.changes.closed).toEqual([]);
      expect(story.only.series).toHaveLength(1);
    });
  });

  describe('series that have ended are forgotten by and by', () => {
    const ended = (fingerprint: string, seconds: number): SeriesState => ({
      fingerprint,
      title: 'Disk',
      message: 'Disk',
      severity: null,
      runbookUrl: null,
      startsAt: NOW - seconds * SECOND - HOUR,
      endsAt: NOW - seconds * SECOND,
      arrival: arrived(seconds),
    });
    const DAY = 24 * 3600;
    const left = (): string[] => story.only.series.map(({ fingerprint }) => fingerprint);

    beforeEach(() => {
      story.say(90, full('data'));
    });

    it('after a day', () => {
      story.only.series.unshift(ended('old', DAY + 1), ended('a', DAY), ended('b', 9));
      story.say(30, full('data', { title: 'New' }));
      expect(left()).toEqual(['a', 'b', 'data']);
    });

    it('but the last one stays', () => {
      story.only.series.unshift(ended('a', DAY + 3), ended('b', DAY + 2), ended('last', DAY + 1));
      story.say(30, full('data', { title: 'New' }));
      expect(left()).toEqual(['last', 'data']);
    });

    it('beyond a hundred', () => {
      story.only.series.unshift(...Array.from({ length: 101 }, (_, i) => ended(`${i}`, 500 - i)));
      story.say(30, full('data', { title: 'New' }));
      expect(left()).toEqual([...Array.from({ length: 100 }, (_, i) => `${i + 1}`), 'data']);
    });

    it('and those that fire are not, however many and old', () => {
      const firing = Array.from({ length: 120 }, (_, i) => ({ ...ended(`${i}`, DAY + 99), endsAt: null }));
      story.only.series.unshift(...firing, ended('last', 9));
      story.say(30, full('data', { title: 'New' }));
      expect(left()).toHaveLength(122);
    });
  });
});
