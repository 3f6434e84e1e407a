const spec = (name) => `test/integration/${name}.spec.ts`;

/** The rooms that decide, each with the tests that go through its door, the quickest first. */
export const ROOMS = {
  alerts: [
    'src/alerts/alert-life.spec.ts',
    'src/alerts/open-alerts.service.spec.ts',
    'src/alerts/alerts.service.spec.ts',
    'src/alerts/known-users.service.spec.ts',
    'src/alerts/alerts.dto.spec.ts',
    'src/alerts/text.spec.ts',
    'src/alerts/name-based-id.spec.ts',
    'src/alerts/shared-reads.spec.ts',
    'src/alerts/shared-writes.spec.ts',
    ...['polls', 'history', 'lost-answer', 'payloads', 'closing', 'life', 'sightings', 'many-alerts'].map(
      spec,
    ),
    ...['shared-writes', 'administration', 'host-calls', 'alerts-api', 'concurrency'].map(spec),
  ],
  database: [
    'src/database/database-problems.spec.ts',
    'src/database/transaction.statements.spec.ts',
    ...[
      'lost-answer',
      'silent-database',
      'unfit-database',
      'shared-writes',
      'hostile-settings',
      'faults',
    ].map(spec),
  ],
  feed: [spec('feed')],
  webhooks: [
    'src/webhooks/rfc3339.spec.ts',
    'src/webhooks/series-fingerprint.spec.ts',
    'src/webhooks/webhook-arrival.middleware.spec.ts',
    'src/webhooks/alert-mapper.service.spec.ts',
    'src/webhooks/webhook-body.spec.ts',
    'src/webhooks/alertmanager/asked-alertmanagers.service.spec.ts',
    'src/webhooks/webhooks.service.spec.ts',
    ...['payloads', 'feed', 'metrics', 'administration', 'life', 'bad-input', 'small-calls'].map(spec),
  ],
  auth: [
    'src/auth/user-id.spec.ts',
    'src/auth/verified-tokens.spec.ts',
    'src/auth/auth-errors.spec.ts',
    'src/auth/access.guard.spec.ts',
    'src/auth/key-set.spec.ts',
    'src/auth/signing-keys.service.spec.ts',
    ...['tokens', 'tokens-in-a-host', 'passport', 'embedding', 'signing-keys'].map(spec),
  ],
  upkeep: [
    'src/upkeep/alertmanager-client.spec.ts',
    'src/upkeep/alertmanager-listing.spec.ts',
    'src/upkeep/alertmanager-routing.spec.ts',
    'src/upkeep/periodic-job.spec.ts',
    'src/upkeep/upkeep.service.spec.ts',
    'src/upkeep/reconcile.service.spec.ts',
    ...['feed', 'reconcile', 'closing', 'metrics'].map(spec),
  ],
  live: [
    'src/live/live-alerts.service.spec.ts',
    'src/live/change-listener.service.spec.ts',
    'src/live/alert-stream.spec.ts',
    ...['many-alerts', 'stream', 'polls'].map(spec),
  ],
};
