import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of processes; elsewhere nothing is known, and `undefined` says so. */
const isKnown = existsSync('/proc/self/schedstat');

/** ms in a tick of those of /proc's clocks that count in ticks; the same on all that Node runs on. */
const TICK = 10;

/** CPU time of a process (ms), of all its threads. */
export function cpuOf(pid: number): number | undefined {
  return isKnown ? runTimeOf(pid) : undefined;
}

/** CPU time of a PostgreSQL server (ms): of the processes that there are and of those that have ended. */
export function cpuOfCluster(postmaster: number): number | undefined {
  if (!isKnown) return undefined;
  for (;;) {
    const { ended } = parentage(postmaster);
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => parentage(pid).parent === postmaster);
    const running = [postmaster, ...children].map(runTimeOf).reduce((total, time) => total + time, 0);
    // Else one has ended meanwhile, and was counted twice or not at all.
    if (parentage(postmaster).ended === ended) return running + ended;
  }
}

/** Starts counting; the returned function tells what was used since, in µs an alert, where that is known. */
export function cpuMeter(serverPid: number | undefined, postmaster: number) {
  const used = () => ({
    server: serverPid === undefined ? undefined : cpuOf(serverPid),
    database: cpuOfCluster(postmaster),
  });
  const before = used();
  return (count: number): { serverCpu?: number; databaseCpu?: number } => {
    const { server, database } = used();
    return {
      ...(server !== undefined && { serverCpu: ((server - (before.server ?? 0)) * 1000) / count }),
      ...(database !== undefined && { databaseCpu: ((database - (before.database ?? 0)) * 1000) / count }),
    };
  };
}

/** Memory that a process has now and that it had at most (bytes). */
export function memoryOf(pid: number): { now: number; most: number } | undefined {
  if (!isKnown) return undefined;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  return { now: kilobytes('VmRSS') * 1024, most: kilobytes('VmHWM') * 1024 };
}

/** CPU time that all programs of the machine have used (ms). */
export function cpuOfMachine(): number | undefined {
  if (!isKnown) return undefined;
  const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = numbersOf(total).slice(1);
  return (user + nice + system + irq + softirq + steal) * TICK;
}

/** CPU time of this process, of those that it has started and seen end, and of theirs (ms). */
export function cpuOfRun(): number | undefined {
  return isKnown ? runTimeOf(process.pid) + parentage(process.pid).ended : undefined;
}

/** Exact, unlike the ticks of `stat`, which are rounded down for each process. */
function runTimeOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of orNone(() => readdirSync(`/proc/${pid}/task`))) {
    const [onCpu = 0] = numbersOf(textOf(`/proc/${pid}/task/${thread}/schedstat`));
    nanoseconds += onCpu;
  }
  return nanoseconds / 1e6;
}

/** Whose child a process is, and how long its own children ran that have ended (ms). */
function parentage(pid: number): { parent: number; ended: number } {
  const stat = textOf(`/proc/${pid}/stat`);
  // The name in parentheses may have spaces.
  const fields = numbersOf(stat.slice(stat.lastIndexOf(')') + 2));
  const [user = 0, system = 0] = fields.slice(13);
  return { parent: fields[1] ?? 0, ended: (user + system) * TICK };
}

function numbersOf(text: string): number[] {
  return text.split(/\s+/).map(Number);
}

/** Empty for a process that has ended meanwhile. */
function textOf(file: string): string {
  return orNone(() => [readFileSync(file, 'utf8')]).join();
}

function orNone(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
