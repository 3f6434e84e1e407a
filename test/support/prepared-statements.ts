import type { AlertState, LifeChanges } from '../../src/alerts/alert-life.js';
import * as lists from '../../src/alerts/alerts.statements.js';
import type { AlertNews } from '../../src/alerts/departures.js';
import * as life from '../../src/alerts/life.statements.js';
import type { Observation } from '../../src/alerts/observation.js';
import type { Statement } from '../../src/database/statement.js';
import * as transaction from '../../src/database/transaction.statements.js';
import * as delivery from '../../src/delivery/delivery.statements.js';

export const NOW = new Date('2026-03-01T00:00:00Z');

const words = {
  title: 'High memory usage',
  message: 'Memory usage over 90% of capacity',
  severity: 'warning',
  runbookUrl: null,
  action: { label: 'Get more memory', url: 'https://sessions.example/memory' },
};
const alert: AlertState = {
  id: '1',
  userId: 'user-1',
  sessionName: 'session-1',
  fingerprint: 1,
  ...words,
  kind: 'condition',
  source: 'alertmanager',
  series: [
    { fingerprint: '0000000000000001', ...words, startsAt: NOW.getTime(), endsAt: null, arrival: 0 },
    { fingerprint: '0000000000000002', ...words, startsAt: NOW.getTime(), endsAt: null, arrival: 0 },
  ],
};
const series = {
  seriesKey: 1,
  seriesFingerprint: '0000000000000001',
  userId: 'user-1',
  sessionName: 'session-1',
};
export const observations: Observation[] = [
  { ...series, ...alert, sessionName: 'session-1', status: 'firing', eventType: 'Memory', isNamed: true },
  { ...series, status: 'resolved', isNamed: false },
];
const changes: LifeChanges = {
  now: NOW,
  opened: [{ ...alert, eventType: 'RenkuSessionHighMemory', resolvedReason: null }],
  rewritten: [{ alert, isUpdated: true, isEscalated: true, isSeen: true }],
  closed: [{ alert, reason: 'resolved' }],
  sightings: [{ seriesKey: 1, arrival: 0, endsAt: null }],
};

const news: AlertNews = {
  userId: 'user-1',
  alertId: '1',
  transition: 'opened',
  gravity: 2,
  eventType: 'RenkuSessionHighMemory',
  sessionName: 'session-1',
};

/** Every statement that a connection plans once: those of webhooks, and of pages that show alerts. */
export const PREPARED: Statement[] = [
  transaction.READ_CLOCK,
  transaction.lockUsers([1, 2]),
  transaction.lockAll(),
  ...life.readState(observations, 0),
  ...life.writeChanges(changes),
  delivery.insertWanted([{ news, channel: 'webhook', target: '' }], () => NOW.toISOString()),
  delivery.insertForTargets([news], () => NOW.toISOString()),
  delivery.insertOver(['1'], ['user-1'], NOW),
  delivery.muteOpened([news], NOW),
  ...transaction.notifyChange('process', life.usersOf(changes)),
  lists.listFewOpen(['user-1', 'user-2']),
  lists.listOpen(['user-1', 'user-2']),
  lists.listOpenOfSession('user-1', 'session-1'),
  lists.countOpenOf('user-1', undefined),
  lists.listResolved('user-1', { limit: 50 }),
  lists.listResolved('user-1', { limit: 50, sessionName: 'session-1' }),
];
