import { seriesOf } from './alertmanager.js';
import type { Series } from './alertmanager.js';
import type { Session } from './demo-config.js';

/** Something that can happen to a session. */
export interface Trouble {
  id: 'memory' | 'memory-critical' | 'disk' | 'oom' | 'action' | 'long' | 'arabic' | 'storm' | 'needle';
  label: string;
  /** The series that Prometheus has of it. */
  series(session: Session): Series[];
  /** What a person is to be told of it. */
  expected(name: string): string;
  /** What is to be expected of its end. */
  over(name: string): string;
}

const STORM = 24;
const HAY = 40;
const RUNBOOK = 'https://docs.renkulab.io';

const isOver = (name: string): string => `It goes from ${name}’s panel, and is under “Earlier” there.`;

export const TROUBLES: readonly Trouble[] = [
  {
    id: 'memory',
    label: 'Memory high',
    series: (session) => [
      seriesOf(
        session,
        { alertname: 'RenkuSessionHighMemory', severity: 'warning' },
        {
          title: 'High memory usage',
          description:
            'Memory usage is at **94 %** of 8 GiB. When it reaches the limit, the session is restarted.\n\n' +
            '- shut down kernels that you do not need\n- `del` large data frames',
          runbook_url: RUNBOOK,
        },
      ),
    ],
    expected: (name) => `One webhook: one alert, a warning. ${name} is told once.`,
    over: (name) => `${isOver(name)} Where it is critical, it stays.`,
  },
  {
    id: 'memory-critical',
    label: 'Memory critical',
    series: (session) => [
      seriesOf(
        session,
        { alertname: 'RenkuSessionHighMemory', severity: 'critical' },
        {
          title: 'Memory is running out',
          description: 'Memory usage is at **99 %** of 8 GiB. Save your work now.',
          runbook_url: RUNBOOK,
        },
      ),
    ],
    expected: (name) =>
      `One webhook: a critical series of the same alert. A warning becomes critical, and ${name} is told once more.`,
    over: (name) => `Where memory is still high, the alert is a warning again, and ${name} is told nothing.`,
  },
  {
    id: 'disk',
    label: 'Disk low, two volumes',
    series: (session) =>
      ['data', 'scratch'].map((volume) =>
        seriesOf(
          session,
          {
            alertname: 'RenkuSessionHighDiskUsage',
            persistentvolumeclaim: `${session.name}-${volume}`,
            severity: 'warning',
          },
          { title: 'Low disk space', description: `Volume **${volume}** is over **90 %** full.` },
        ),
      ),
    expected: (name) => `One webhook: one alert of two volumes, data and scratch. ${name} is told once.`,
    over: () => 'As long as one volume is full, the alert stays, with its words. It ends with the last.',
  },
  {
    id: 'oom',
    label: 'OOM kill',
    series: (session) => [
      seriesOf(
        session,
        { alertname: 'RenkuSessionOOMKilled', alert_kind: 'event', severity: 'critical' },
        {
          title: 'Session restarted',
          description: 'It ran out of memory and was restarted. What was not saved is lost.',
        },
      ),
    ],
    expected: (name) => `One webhook: one critical event. ${name} is told once.`,
    over: (name) => `An OOM kill has happened; it stays until ${name} dismisses it.`,
  },
  {
    id: 'action',
    label: 'With an action',
    series: (session) => [
      seriesOf(
        session,
        { alertname: 'RenkuSessionVolumeFills', severity: 'warning' },
        {
          title: 'Your volume will be full tomorrow',
          description: 'It grows by 2 GiB an hour.',
          action_label: 'Get a larger volume',
          action_url: RUNBOOK,
        },
      ),
    ],
    expected: () => 'One webhook: one alert with a link of its own, “Get a larger volume”.',
    over: isOver,
  },
  {
    id: 'long',
    label: 'Long message',
    series: (session) => [
      seriesOf(
        session,
        { alertname: 'RenkuSessionSlow', severity: 'info' },
        { title: 'Why your session is slow', description: LONG },
      ),
    ],
    expected: () => 'One webhook: one alert with a table and code, folded until “Show all” is pressed.',
    over: isOver,
  },
  {
    id: 'arabic',
    label: 'Arabic title',
    series: (session) => [
      seriesOf(
        session,
        { alertname: 'RenkuSessionArabic', severity: 'warning' },
        { title: 'مساحة القرص على وشك النفاد', description: 'وحدة التخزين **data** ممتلئة بنسبة 93 %.' },
      ),
    ],
    expected: () => 'One webhook: one alert whose words run from right to left, whatever is around them.',
    over: isOver,
  },
  {
    id: 'storm',
    label: 'Storm',
    series: (session) =>
      Array.from({ length: STORM }, (_, index) =>
        seriesOf(
          session,
          { alertname: `RenkuSessionJobFailed${index + 1}`, severity: index % 8 === 0 ? 'critical' : 'info' },
          {
            title: `Job ${index + 1} of ${STORM} failed`,
            description: `\`train.py --fold ${index + 1}\` ended with code ${index % 8 === 0 ? 137 : 1}.`,
          },
        ),
      ),
    expected: (name) => `One webhook: ${STORM} alerts, three of them critical. ${name}’s panel opens once.`,
    over: isOver,
  },
  {
    id: 'needle',
    label: 'A critical one among many',
    series: (session) =>
      Array.from({ length: HAY + 1 }, (_, index) =>
        seriesOf(
          session,
          { alertname: `RenkuSessionNote${index + 1}`, severity: index === HAY ? 'critical' : 'info' },
          index === HAY
            ? { title: 'Your session is stopped in ten minutes', description: 'Save your work.' }
            : { title: `Package ${index + 1} has a newer version`, description: 'Update when it suits you.' },
        ),
      ),
    expected: () => `One webhook: ${HAY} notices, and last a critical alert. That one is on top.`,
    over: isOver,
  },
];

const LONG = `Three of your programs share **two** processor cores:

| program | cores wanted | cores got |
| --- | --- | --- |
| \`train.py\` | 4 | 1.2 |
| \`jupyter-lab\` | 1 | 0.5 |
| \`tensorboard\` | 1 | 0.3 |

See for yourself:

\`\`\`
top -o %CPU -b -n 1 | head -12
nice -n 19 python train.py --workers 1
\`\`\`

What you can do:

1. Stop what you do not need: a \`tensorboard\` that nobody looks at costs as much as one that somebody does.
2. Give the long program a lower priority, as above, so that the notebook answers at once.
3. Let it use fewer workers than there are cores.
4. Start the session again with a larger resource class; what is on its volumes stays.

> It goes away by itself when the programs have ended.`;
