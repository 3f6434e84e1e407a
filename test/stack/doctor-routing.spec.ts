import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { routesOf } from '../../src/upkeep/alertmanager-routing.js';
import type { Labels } from '../../src/upkeep/alertmanager-routing.js';

const RECEIVERS = ['a', 'b', 'c', 'd'];
const LABELS = ['purpose', 'severity', 'team'];
const VALUES = ['renku-session', 'warning', 'x, "y"', 'W\\1'];

/** One entry of `matchers`, in one of the ways that it may be written. */
const matcher = fc
  .tuple(
    fc.constantFrom(...LABELS),
    fc.constantFrom('=', '!='),
    fc.constantFrom('', ...VALUES),
    fc.constantFrom('', ' '),
  )
  .map(([name, operator, value, space]) => `${name}${space}${operator}${space}${JSON.stringify(value)}`);
const expressionMatcher = fc
  .tuple(
    fc.constantFrom(...LABELS),
    fc.constantFrom('=~', '!~'),
    fc.constantFrom('', 'renku', 'renku-.*', 'warning|renku-session', '.+', '(?i)WARN.*', '[^w].*'),
  )
  .map(([name, operator, value]) => `${name}${operator}"${value}"`);
const matchers = fc.array(fc.oneof(matcher, expressionMatcher), { maxLength: 2 });
const several = fc.array(matcher, { minLength: 2, maxLength: 3 }).map((ones) => [`{${ones.join(',')}}`]);

const { node } = fc.letrec<{ node: object }>((tie) => ({
  node: fc.record(
    {
      receiver: fc.constantFrom(...RECEIVERS),
      matchers: fc.oneof(matchers, several),
      match: fc.dictionary(fc.constantFrom(...LABELS), fc.constantFrom(...VALUES), { maxKeys: 1 }),
      match_re: fc.dictionary(fc.constantFrom(...LABELS), fc.constantFrom('warn.*', '.*'), { maxKeys: 1 }),
      continue: fc.boolean(),
      routes: fc.array(tie('node'), { maxLength: 3, depthIdentifier: 'routes' }),
    },
    { requiredKeys: [] },
  ),
}));
const tree = fc.array(node, { minLength: 1, maxLength: 4 }).map((routes) => ({ receiver: 'root', routes }));
const labels = fc.dictionary(fc.constantFrom(...LABELS), fc.constantFrom(...VALUES));

describe('Where an alert goes', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'session-alerts-routing-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** What Alertmanager's own tool says, in the order of the routes. */
  function amtoolsReceivers(route: object, alert: Labels): string[] {
    const file = join(folder, 'alertmanager.yml');
    writeFileSync(
      file,
      JSON.stringify({ receivers: [...RECEIVERS, 'root'].map((name) => ({ name })), route }),
    );
    const given = Object.entries(alert).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const args = ['config', 'routes', 'test', `--config.file=${file}`, ...given];
    const output = execFileSync('amtool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return output.trim().split(',');
  }

  it('is where amtool says that it goes, whatever the routes', () => {
    let elsewhere = 0;
    fc.assert(
      fc.property(tree, labels, (route, alert) => {
        const receivers = routesOf(route, alert).map(({ receiver }) => receiver);
        elsewhere += receivers.join() === 'root' ? 0 : 1;
        expect(receivers).toEqual(amtoolsReceivers(route, alert));
      }),
      { numRuns: 200 },
    );
    // Else the routes would have been too odd to say anything.
    expect(elsewhere).toBeGreaterThan(40);
  });
});
