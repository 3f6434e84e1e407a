import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOY, deployFiles, load, PROJECT, read, ruleGroups, RULES_FILES } from './support/files.js';
import { run } from './support/programs.js';

const TESTS = deployFiles(/^prometheus\/tests\/.+\.yml$/);

it.each(RULES_FILES)('%s is what Prometheus can load', (file) => {
  expect(run('promtool', 'check', 'rules', join(DEPLOY, file))).toContain('SUCCESS');
});

it.each(TESTS)('%s passes', (file) => {
  expect(run('promtool', 'test', 'rules', join(DEPLOY, file))).toContain('SUCCESS');
});

it('prometheus.yml is what Prometheus can load, and names all rules', () => {
  const said = run('promtool', 'check', 'config', join(DEPLOY, 'prometheus/prometheus.yml'));
  expect(said).toContain(`${RULES_FILES.length} rule files found`);
});

it('every alert has a case that makes it fire', () => {
  const tested = TESTS.map((file) => read(file)).join('\n');
  const alerts = RULES_FILES.flatMap(ruleGroups).flatMap((group) =>
    group.rules.flatMap((rule) => rule.alert ?? []),
  );
  expect(alerts.length).toBeGreaterThan(15);
  for (const alert of alerts) {
    // Either with what it looks like, or as a sample of ALERTS.
    const fires = new RegExp(
      `alertname: ${alert},? *\\n? *eval_time: \\w+,? *\\n? *exp_alerts: *(\\[\\*|\\n)|alertname="${alert}"`,
    );
    expect({ alert, fires: fires.test(tested) }).toEqual({ alert, fires: true });
  }
});

describe('the alerts for users', () => {
  const rules = ruleGroups('prometheus/session-alerts.rules.yml').flatMap((group) => group.rules);
  const alerts = rules.filter((rule) => rule.alert !== undefined);

  it('are those of the guide, and what else can befall a session', () => {
    expect(alerts.map(({ alert, annotations }) => [alert, annotations?.['title']])).toEqual([
      ['RenkuSessionHighMemory', 'High memory usage'],
      ['RenkuSessionHighDiskUsage', 'Low disk space'],
      ['RenkuSessionFewInodes', 'Too many files'],
      ['RenkuSessionDiskFillsUp', 'Disk fills up'],
      ['RenkuSessionOOMKilled', 'Session restarted'],
      ['RenkuSessionJobOOMKilled', 'Job ended'],
      ['RenkuSessionProgramOOMKilled', 'A program was stopped'],
      [
        'RenkuSessionEvicted',
        '{{ if eq $labels.owner_kind "Job" }}Job ended{{ else }}Session restarted{{ end }}',
      ],
      [
        'RenkuSessionCannotStart',
        '{{ if eq $labels.cause "crash" }}Session keeps stopping{{ else }}Session cannot start{{ end }}',
      ],
      ['RenkuSessionWillStop', 'Session will be stopped'],
    ]);
  });

  it('are the only ones that go to users', () => {
    const forUsers = RULES_FILES.flatMap(ruleGroups)
      .flatMap((group) => group.rules)
      .filter((rule) => rule.labels?.['purpose'] === 'renku-session');
    expect(forUsers).toEqual(alerts);
  });
});

describe('the alerts for administrators', () => {
  const alerts = ['prometheus/session-alerts-service.rules.yml', 'prometheus/watchdog.rules.yml']
    .flatMap(ruleGroups)
    .flatMap(({ rules }) => rules.filter(({ alert }) => alert !== undefined));
  const [, runbook = ''] =
    /^## Runbook$(.*?)^## /ms.exec(readFileSync(join(PROJECT, 'docs/operations.md'), 'utf8')) ?? [];
  const sections = [...runbook.matchAll(/^### (.+)$\s+(.+)$/gm)].map(([, name, text]) => ({ name, text }));

  it.each(alerts)('$alert leads to its section of the runbook', ({ alert = '', annotations }) => {
    expect(annotations?.['runbook']).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    expect(sections).toContainEqual({ name: alert, text: expect.not.stringMatching(/^#/) as string });
  });

  it('are all that the runbook has sections for', () => {
    expect(sections.map(({ name }) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
});

it('watches what is said of the watchdog: its name is that of the route and of the server', () => {
  const [rule] = ruleGroups('prometheus/watchdog.rules.yml').flatMap((group) => group.rules);
  const { route } = load<{ route: { routes: { matchers: string[]; repeat_interval: string }[] } }>(
    'alertmanager/alertmanager.yml',
  );
  expect(rule?.alert).toBe('Watchdog');
  expect(route.routes.map((one) => one.matchers)).toContainEqual([`alertname="${rule?.alert ?? ''}"`]);
});
