import type { Bench } from './bench.js';
import { HEAVY_ROLES, HOSTILE_KINDS } from './hostile-requests.js';
import type { HostileCallers, HostileKind } from './hostile-requests.js';
import type { HostileJob, HostileResult, WatchJob, WatchResult } from './load-jobs.js';
import { memoryOf } from './proc.js';

/** How long each kind goes on: salvo after salvo. */
const SECONDS = 10;
const QUICK_SECONDS = 3;
/** Others poll so often (ms). */
const POLL_EVERY = 50;

export interface HostileFigure {
  kind: string;
  seconds: number;
  result: HostileResult;
  /** Answers that are not those of the kind. */
  undocumented: number;
  /** Others, who only poll. */
  watch: WatchResult;
  /** The most bytes that the server had. */
  memory: number | undefined;
}

/** Each kind on a server of its own, so that the memory of each is told apart. */
export async function measureHostile(bench: Bench): Promise<HostileFigure[]> {
  const databaseUrl = await bench.cluster.createDatabase('hostile');
  const callers: HostileCallers = {
    issuerUrl: bench.tokens.issuerUrl,
    userToken: await bench.tokens.userToken('hostile'),
    heavyToken: await bench.tokens.userToken('heavy', HEAVY_ROLES),
    webhookToken: bench.tokens.webhookToken,
  };
  const figures: HostileFigure[] = [];
  for (const [index, kind] of HOSTILE_KINDS.entries()) {
    bench.progress.step(kind.name, index / HOSTILE_KINDS.length);
    figures.push(await measure(bench, databaseUrl, callers, index, kind));
  }
  await bench.cluster.dropDatabase(databaseUrl);
  return figures;
}

function measure(
  bench: Bench,
  databaseUrl: string,
  callers: HostileCallers,
  index: number,
  { name, statuses }: HostileKind,
): Promise<HostileFigure> {
  const seconds = bench.options.quick ? QUICK_SECONDS : SECONDS;
  return bench.withServer('fastify', databaseUrl, async ({ url, pid }) => {
    const id = 'bystander';
    await bench.watcher.prepare({
      do: 'watch',
      url,
      webhookToken: bench.tokens.webhookToken,
      size: 1,
      kind: 'new',
      user: { id, token: await bench.tokens.userToken(id) },
      firstBatch: 0,
      listEvery: POLL_EVERY,
    });
    await bench.load.prepare({ do: 'hostile', url, callers, kind: index, seconds });
    const watching = bench.watcher.go<WatchJob>();
    const result = await bench.load.go<HostileJob>();
    bench.watcher.stop();
    const watch = await watching;
    const expected = statuses.reduce((sum, status) => sum + (result.answers[status] ?? 0), 0);
    const all = Object.values(result.answers).reduce((sum, count) => sum + count, 0);
    return {
      kind: name,
      seconds,
      result,
      undocumented: all - expected,
      watch,
      memory: memoryOf(pid)?.most,
    };
  });
}
