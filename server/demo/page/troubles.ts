import { seriesOf } from './alertmanager.js';
import type { Series } from './alertmanager.js';
import type { Person } from './demo-config.js';

/** Something that can happen to a session. */
export interface Trouble {
  id: 'memory' | 'disk' | 'oom' | 'storm';
  label: string;
  /** The series that Prometheus has of it. */
  series(person: Person): Series[];
}

const STORM = 24;

export const TROUBLES: readonly Trouble[] = [
  {
    id: 'memory',
    label: 'Memory high',
    series: (person) => [
      seriesOf(
        person,
        { alertname: 'RenkuSessionHighMemory', severity: 'warning' },
        {
          title: 'High memory usage',
          description:
            'Memory usage is at **94 %** of 8 GiB. When it reaches the limit, the session is restarted.\n\n' +
            '- shut down kernels that you do not need\n- `del` large data frames',
          runbook_url: 'https://docs.renkulab.io',
        },
      ),
    ],
  },
  {
    id: 'disk',
    label: 'Disk low, two volumes',
    series: (person) =>
      ['data', 'scratch'].map((volume) =>
        seriesOf(
          person,
          {
            alertname: 'RenkuSessionHighDiskUsage',
            persistentvolumeclaim: `${person.sessionName}-${volume}`,
            severity: 'warning',
          },
          { title: 'Low disk space', description: `Volume **${volume}** is over **90 %** full.` },
        ),
      ),
  },
  {
    id: 'oom',
    label: 'OOM kill',
    series: (person) => [
      seriesOf(
        person,
        { alertname: 'RenkuSessionOOMKilled', alert_kind: 'event', severity: 'critical' },
        {
          title: 'Session restarted',
          description: 'It ran out of memory and was restarted. What was not saved is lost.',
        },
      ),
    ],
  },
  {
    id: 'storm',
    label: 'Storm',
    series: (person) =>
      Array.from({ length: STORM }, (_, index) =>
        seriesOf(
          person,
          { alertname: `RenkuSessionJobFailed${index + 1}`, severity: index % 8 === 0 ? 'critical' : 'info' },
          {
            title: `Job ${index + 1} of ${STORM} failed`,
            description: `\`train.py --fold ${index + 1}\` ended with code ${index % 8 === 0 ? 137 : 1}.`,
          },
        ),
      ),
  },
];
