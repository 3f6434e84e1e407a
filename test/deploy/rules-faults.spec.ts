import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEPLOY, read } from './support/files.js';
import { tryToRunBeside } from './support/programs.js';

/** Each guard of the rules, taken out: a case of that file must notice. */
const FAULTS: [cases: string, what: string, from: string, to: string][] = [
  [
    'high-memory',
    'the join forgets the namespace',
    'on (cluster, namespace, statefulset) group_left (safe_username)',
    'on (statefulset) group_left (safe_username)',
  ],
  [
    'high-memory',
    'a session may have two users',
    '(renku_session:named_users:group) == 1',
    '(renku_session:named_users:group) > 0',
  ],
  ['high-memory', '<nil> is a user', 'safe_username!~"|<nil>"', 'safe_username!=""'],
  ['high-memory', 'the empty user is one', 'safe_username!~"|<nil>"', 'safe_username!="<nil>"'],
  [
    'high-memory',
    'kube-state-metrics are told apart',
    'group by (cluster, namespace, statefulset, safe_username) (\n            label_replace',
    'group by (cluster, namespace, statefulset, safe_username, instance) (\n            label_replace',
  ],
  ['high-memory', 'clusters are one', 'cluster, namespace', 'namespace'],
  ['high-memory', 'a helper of a session elsewhere is one', 'location="remote"', 'location="nowhere"'],
  ['high-memory', 'any owner counts', 'owner_kind=~"StatefulSet|Job", ', ''],
  ['high-memory', 'jobs are no sessions', 'owner_kind=~"StatefulSet|Job"', 'owner_kind="StatefulSet"'],
  ['high-memory', 'an owner need not be the controller', ', owner_is_controller="true"', ''],
  [
    'high-disk-usage',
    'a volume may be of two sessions',
    '(renku_session:named_volumes:group) == 1',
    '(renku_session:named_volumes:group) > 0',
  ],
  ['high-disk-usage', 'volumes of anything count', 'label_app_kubernetes_io_name="AmaltheaSession",', ''],
  ['high-disk-usage', 'a share of a server is its user’s', '> 3 *', '> 3000 *'],
  ['high-disk-usage', 'a volume that is rounded up is a share', '> 3 *', '> 1.5 *'],
  [
    'high-memory',
    'a limit of 0 is one',
    'container_spec_memory_limit_bytes{container=~"|amalthea-session", pod!=""}\n          ) > 0',
    'container_spec_memory_limit_bytes{container=~"|amalthea-session", pod!=""}\n          )',
  ],
  [
    'high-memory',
    'only cAdvisor tells limits',
    'kube_pod_container_resource_limits{container="amalthea-session"',
    'kube_pod_container_resource_limits{container="nothing"',
  ],
  ['high-memory', 'limits of the CPU count', ', resource="memory"', ''],
  [
    'high-memory',
    'page cache counts',
    'container_memory_working_set_bytes{container=~"|amalthea-session", pod!=""}',
    'container_memory_working_set_bytes{container="nothing"}',
  ],
  [
    'high-memory',
    'file pages in use count',
    '- container_memory_total_active_file_bytes{container=~"|amalthea-session", pod!=""}',
    '- 0 * container_memory_total_active_file_bytes{container=~"|amalthea-session", pod!=""}',
  ],
  [
    'high-memory',
    'where nothing tells of file pages nothing is known',
    '              or\n              container_memory_working_set_bytes{container=~"|amalthea-session", pod!=""}\n',
    '',
  ],
  ['high-memory', 'what was told long ago counts', ') < 120\n          )', ') < 12000\n          )'],
  ['high-memory', 'a scrape a minute is a gap', ') < 120\n          )', ') < 45\n          )'],
  [
    'high-memory',
    'what is left of a container counts after its restart',
    'increase(renku_session:restarts:max[2m]) > 0',
    'increase(renku_session:restarts:max[2m]) > 9',
  ],
  [
    'high-memory',
    'what is left of a container counts after its end',
    '            unless on (cluster, namespace, pod)\n            renku_session:stands_still:group\n          )\n\n      # The share',
    '          )\n\n      # The share',
  ],
  [
    'high-memory',
    'a pod’s limit does not count',
    'renku_session:memory_limit:bytes{container=""}',
    'renku_session:memory_limit:bytes{container="nothing"}',
  ],
  [
    'high-memory',
    'a pod’s limit is held against one container',
    'renku_session:memory_used:bytes{container=""}',
    'renku_session:memory_used:bytes{container="nothing"}',
  ],
  [
    'high-memory',
    'without the pod’s memory its limit does not count',
    '                or on (cluster, namespace, pod)\n                renku_session:memory_used:bytes{container="amalthea-session"}\n',
    '',
  ],
  [
    'high-disk-usage',
    'what kubelets see of a volume is added up',
    'min by (cluster, namespace, persistentvolumeclaim)',
    'sum by (cluster, namespace, persistentvolumeclaim)',
  ],
  ['high-memory', 'memory is full at 90 %', '> 0.9', '>= 0.9'],
  [
    'high-memory',
    'pressure does not sharpen',
    'renku_session:memory_pressure:ratio > 0.05',
    'renku_session:memory_pressure:ratio > 5',
  ],
  [
    'high-memory',
    'what hurts nobody does not wait',
    'unless on (cluster, namespace, statefulset) renku_session:memory_pressure:ratio',
    'unless on (cluster, namespace, statefulset) renku_session:memory_pressure:ratio > 9',
  ],
  [
    'high-memory',
    'what hurts nobody is never told',
    'min_over_time(renku_session:memory_usage:ratio[5m]) > 0.9',
    'min_over_time(renku_session:memory_usage:ratio[5m]) > 9',
  ],
  [
    'high-memory',
    'what no longer hurts is over',
    'ALERTS{alertname="RenkuSessionHighMemory", alertstate="firing"}',
    'ALERTS{alertname="nothing"}',
  ],
  [
    'high-memory',
    'a peak of memory counts',
    'renku_session:memory_usage:ratio offset 1m > 0.9',
    'renku_session:memory_usage:ratio > 0.9',
  ],
  ['high-disk-usage', 'a disk is full at 90 %', '          < 0.1\n', '          <= 0.1\n'],
  [
    'high-disk-usage',
    'no inodes at all are few',
    '(kubelet_volume_stats_inodes > 0)',
    '(kubelet_volume_stats_inodes + 0.01)',
  ],
  [
    'high-disk-usage',
    'any pace counts',
    'predict_linear(renku_session:volume_available:ratio[30m], 7200) < 0',
    'renku_session:volume_available:ratio > 0',
  ],
  [
    'high-disk-usage',
    'something that was saved is a pace',
    'predict_linear(renku_session:volume_available:ratio[5m], 7200) < 0',
    'renku_session:volume_available:ratio > 0',
  ],
  ['high-disk-usage', 'the pace counts where there is much space', '< 0.4 >= 0.1', '< 0.6 >= 0.1'],
  ['high-disk-usage', 'the pace is told beside the space', '< 0.4 >= 0.1', '< 0.4'],
  ['cannot-start', 'a peak counts', 'for: 1m', 'for: 0s'],
  ['cannot-start', 'alerts end at once', 'keep_firing_for: 3m', ''],
  ['oom-killed', 'events end after five minutes', 'keep_firing_for: 5m', ''],
  ['oom-killed', 'restarts are not told apart', 'safe_username, restarts)', 'safe_username)'],
  ['oom-killed', 'any restart is an OOM kill', 'reason="OOMKilled", ', ''],
  [
    'oom-killed',
    'an old kill counts',
    'increase(renku_session:restarts:max[5m]) > 0',
    'renku_session:restarts:max > 0',
  ],
  [
    'oom-killed',
    'a restart that is seen first counts for nothing',
    '            ) < 300\n          )\n          and on',
    '            ) < 0\n          )\n          and on',
  ],
  [
    'oom-killed',
    'the age of a start counts for nothing',
    '            ) < 300\n          )\n          and on',
    '            ) < 30000\n          )\n          and on',
  ],
  [
    'oom-killed',
    'a first start is a restart',
    'renku_session:restarts:max > 0\n',
    'renku_session:restarts:max >= 0\n',
  ],
  ['oom-killed', 'who was asked to stop was killed', ') == 143', ') == 144'],
  ['oom-killed', 'whoever has an exit code was not killed', ') == 143', ') > 0'],
  [
    'oom-killed',
    'a job’s kill of long ago is told',
    'count_over_time(renku_session:pod:info[5m]) > count_over_time',
    'count_over_time(renku_session:pod:info[5m]) >= count_over_time',
  ],
  [
    'oom-killed',
    'a job’s kill that is seen first counts for nothing',
    '              ) < 300\n            )',
    '              ) < 0\n            )',
  ],
  [
    'oom-killed',
    'jobs that fail were killed',
    'kube_pod_container_status_terminated_reason{reason="OOMKilled", ',
    'kube_pod_container_status_terminated_reason{',
  ],
  [
    'oom-killed',
    'an old kill of a program counts',
    'increase(renku_session:oom_events:max[3m] offset 2m) > 0',
    'renku_session:oom_events:max > 0',
  ],
  [
    'oom-killed',
    'a program is told before its container can be',
    'renku_session:oom_events:max offset 2m)',
    'renku_session:oom_events:max)',
  ],
  [
    'oom-killed',
    'a container’s kill is told as a program’s',
    'increase(renku_session:restarts:max[6m]) > 0',
    'increase(renku_session:restarts:max[6m]) > 9',
  ],
  [
    'oom-killed',
    'a job’s kill is told as a program’s',
    '              unless on (cluster, namespace, pod)\n              renku_session:job_killed:info\n',
    '',
  ],
  [
    'oom-killed',
    'a container that waits is told as a program',
    '              unless on (cluster, namespace, pod)\n              renku_session:stands_still:group\n            )',
    ')',
  ],
  [
    'oom-killed',
    'programs of any container count',
    'container_oom_events_total{container="amalthea-session"}',
    'container_oom_events_total',
  ],
  ['oom-killed', 'programs are not told apart', 'safe_username, kills)', 'safe_username)'],
  ['oom-killed', 'the OOM kill is a condition', 'alert_kind: event', 'alert_kind: condition'],
  ['evicted', 'a reason told as 0 is one', '(kube_pod_status_reason == 1 or', '(kube_pod_status_reason or'],
  ['evicted', 'conditions do not count', ' or kube_pod_status_disruption_reason == 1', ''],
  [
    'evicted',
    'an eviction of long ago is told',
    'count_over_time(renku_session:pod:info[5m])\n              > on',
    'count_over_time(renku_session:pod:info[5m])\n              >= on',
  ],
  ['evicted', 'the condition hides the kubelet’s word', '{reason="Evicted"}', '{reason="Nothing"}'],
  ['evicted', 'who made room is told of a machine', '{reason="PreemptionByScheduler"}', '{reason="Nothing"}'],
  [
    'cannot-start',
    'the two reasons of an image are two',
    'label_replace(\n                renku_session:waits:group{\n                  reason=~"ErrImage',
    'label_join(\n                renku_session:waits:group{\n                  reason=~"ErrImage',
  ],
  ['cannot-start', 'an image counts by one reason', '|ImagePullBackOff', ''],
  [
    'cannot-start',
    'what prepares for a container does not count',
    ' or kube_pod_init_container_status_waiting_reason == 1',
    '',
  ],
  ['cannot-start', 'whatever waits cannot start', 'reason="CrashLoopBackOff"', 'reason!=""'],
  ['cannot-start', 'a crash loop is none', 'reason="CrashLoopBackOff"', 'reason="Nothing"'],
  [
    'cannot-start',
    'no room is no trouble',
    'kube_pod_status_unschedulable == 1',
    'kube_pod_status_unschedulable == 9',
  ],
  ['will-stop', 'a deadline is told an hour before', 'time() + 900', 'time() + 3600'],
  [
    'will-stop',
    'a deadline that has passed is told',
    'renku_session:stops_at:timestamp_seconds[3m]) > time()',
    'renku_session:stops_at:timestamp_seconds[3m]) >= 0',
  ],
  [
    'will-stop',
    'a gap ends it',
    'last_over_time(renku_session:stops_at:timestamp_seconds[3m])',
    'renku_session:stops_at:timestamp_seconds',
  ],
  [
    'will-stop',
    'the namespace that was set aside counts for nothing',
    '"namespace", "$1", "exported_namespace", "(.+)"',
    '"namespace", "$1", "nothing", "(.+)"',
  ],
];

describe('the alerts for users have a case for each of their guards', () => {
  // Several at once: each is a program that counts for some seconds.
  it.concurrent.each(FAULTS)('%s fails where %s', async (cases, _what, from, to) => {
    const rulesText = read('prometheus/session-alerts.rules.yml');
    expect(rulesText).toContain(from);
    const folder = mkdtempSync(join(tmpdir(), 'session-alerts-rules-'));
    try {
      cpSync(join(DEPLOY, 'prometheus'), folder, { recursive: true });
      writeFileSync(join(folder, 'session-alerts.rules.yml'), rulesText.replaceAll(from, to));
      const casesFile = join(folder, 'tests', `${cases}.yml`);
      const { isGood, output } = await tryToRunBeside('promtool', 'test', 'rules', casesFile);
      expect(output).not.toMatch(/no such file|could not parse|parse error/);
      expect(isGood).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
