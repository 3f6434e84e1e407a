import { BIG_SIZE } from './big.js';
import type { BigFigures } from './big.js';
import { claimsOf, claimsOfPart, ratiosOfRounds, walRatio, webhookRatios } from './claims.js';
import type { Claim } from './claims.js';
import type { HostileFigure } from './hostile.js';
import { AT_ONCE } from './hostile-requests.js';
import type { ListingFigure } from './listing.js';
import type { Latencies } from './load-jobs.js';
import { PARTS } from './options.js';
import type { Part } from './options.js';
import type { OverloadFigure } from './overload.js';
import { PGBENCHES } from './pgbench.js';
import type { Results } from './results.js';
import { boundsOfMedian, mean, median } from './statistics.js';
import type { ServerName } from './target-process.js';
import { walFigureOf, walShapesOf } from './wal-figures.js';
import type { WalFigure } from './wal-figures.js';
import { KINDS } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';
import type { TargetName, WebhookShape } from './webhook-target.js';
import { figureOf, shapesOf } from './webhook-figures.js';
import type { WebhookFigure } from './webhook-figures.js';

/** Medians of fewer say little. */
const LEAST_ROUNDS = 5;

/** From so many on it is said how well a ratio is known. */
const ROUNDS_WITH_BOUNDS = 6;

/** The results as Markdown. */
export function reportOf(results: Results): string {
  return [
    introduction(results),
    ...PARTS.flatMap((part) => sectionsOf(results, part)),
    '## Claims',
    claimsTable(claimsOf(results)),
  ].join('\n\n');
}

/** The places in a document that a run of these parts fills. */
export function placesOf(of: { parts: Part[]; against?: string | undefined; pair?: boolean }): string[] {
  if (of.against === undefined) return of.parts;
  return [of.pair ? 'pair' : 'against'];
}

/** What stands in each of these places: of another revision all in one, else each part by itself. */
export function documentParts(results: Results): Map<string, string> {
  const measured = PARTS.filter((part) => results[part] !== undefined);
  const texts = placesOf({ ...results, parts: measured }).map((place): [string, string] => {
    const parts = measured.filter((part) => results.against !== undefined || place === part);
    const claims = parts.flatMap((part) => claimsOfPart(results, part));
    const blocks = [
      introduction(results),
      ...parts.flatMap((part) => sectionsOf(results, part)),
      ...(claims.length > 0 ? [claimsTable(claims)] : []),
    ];
    // One level below the document's own sections.
    return [place, blocks.map((block) => block.replace(/^## /, '### ')).join('\n\n')];
  });
  return new Map(texts);
}

function sectionsOf(results: Results, part: Part): string[] {
  const { against, webhooks, listing, big, overload, wal, hostile, delivery } = results;
  switch (part) {
    case 'webhooks':
      return webhooks ? webhookSections('Webhooks', webhooks, against) : [];
    case 'listing':
      return listing ? listingSections(listing, against) : [];
    case 'big':
      return big ? [bigSection(big)] : [];
    case 'overload':
      return overload ? [overloadSection(overload)] : [];
    case 'wal':
      return wal ? [walSection(wal, against)] : [];
    case 'hostile':
      return hostile ? [hostileSection(hostile)] : [];
    case 'delivery':
      return delivery ? webhookSections('Webhooks of what may be told elsewhere', delivery, undefined) : [];
  }
}

export function claimsTable(claims: Claim[]): string {
  return table(
    ['fastify', 'measured', ''],
    claims.map(({ claim, measured, holds }) => [claim, measured, holds ? 'holds' : '**does not hold**']),
  );
}

function introduction(results: Results): string {
  const { rounds, now, against } = results;
  return [
    introductionOf(
      results,
      rounds === 1
        ? 'One round in which the targets take turns.'
        : `Medians of ${rounds} rounds in which the targets take turns; ratios are medians of the rounds' ratios.`,
    ),
    ...(now
      ? [`fastify is ${now.commit}${now.isChanged ? ' with changes that are not committed' : ''}.`]
      : []),
    ...(against !== undefined ? [`${against} is the server of that commit, driven by HTTP alone.`] : []),
    ...(rounds >= ROUNDS_WITH_BOUNDS ? ['In brackets, between which the ratio lies, at 95 %.'] : []),
    ...(rounds < LEAST_ROUNDS
      ? [`What holds in fewer than ${LEAST_ROUNDS} rounds may not hold in more.`]
      : []),
  ].join('\n');
}

/** @param method how the figures were come by, in a sentence */
export function introductionOf(
  {
    machine,
    postgres,
    settings,
    quick,
    disturbance,
  }: Pick<Results, 'machine' | 'postgres' | 'settings' | 'quick' | 'disturbance'>,
  method: string,
): string {
  const set = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  const memory = Math.round(machine.memory / 2 ** 30);
  return [
    `Measured on ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${memory} GB, ${machine.platform}; ` +
      `Node ${machine.node.slice(1)}; PostgreSQL ${postgres} with fsync on, ${set.join(', ')}; ` +
      'load, server and database on the same machine.',
    method,
    ...(quick ? ['A quick run: the figures are rough.'] : []),
    ...(disturbance === undefined
      ? []
      : [`Other programs had ${(100 * disturbance).toFixed(0)} % of the machine meanwhile.`]),
  ].join('\n');
}

function webhookSections(heading: string, figures: WebhookFigure[], against: string | undefined): string[] {
  const title = (target: TargetName): string => titleOf(target, against);
  const targets = namesOf(figures);
  const rows = shapesOf(figures).flatMap((shape) => KINDS.map((kind) => ({ shape, kind })));
  const pairs: [TargetName, TargetName][] = [
    ['fastify', 'bare'],
    ['fastify', 'floor'],
    ['fastify', 'pgbench'],
    ['fastify', 'floorPgbench'],
    ['fastify', 'against'],
    ['express', 'fastify'],
    ['nobody', 'fastify'],
    ['everybody', 'fastify'],
  ];
  const ratios = pairs.filter((pair) => pair.every((target) => targets.includes(target)));
  const servers = targets.filter((target) => !PGBENCHES.some((name) => name === target));
  const hasCpu = figures.some(({ databaseCpu }) => databaseCpu.length > 0);
  const first = ['alerts a webhook', 'connections', 'kind'];
  const shapeCells = ({ size, connections }: WebhookShape, kind: Kind): string[] => [
    whole(size),
    whole(connections),
    kind,
  ];
  return [
    `## ${heading}${beside(against)}: alerts a second`,
    table(
      [...first, ...targets.map(title)],
      rows.map(({ shape, kind }) => [
        ...shapeCells(shape, kind),
        ...targets.map((name) => whole(median(figureOf(figures, shape, kind, name)?.alertsPerSecond ?? []))),
      ]),
    ),
    `## ${heading}${beside(against)}: ratios`,
    table(
      [...first, ...ratios.map((pair) => pair.map(title).join(' : '))],
      rows.map(({ shape, kind }) => [
        ...shapeCells(shape, kind),
        ...ratios.map(([one, other]) => ratioOf(webhookRatios(figures, shape, kind, one, other))),
      ]),
    ),
    ...(hasCpu
      ? [
          `## ${heading}${beside(against)}: CPU time, µs an alert`,
          table(
            [...first, ...servers.map(title), ...targets.map((name) => `database (${title(name)})`)],
            rows.map(({ shape, kind }) => [
              ...shapeCells(shape, kind),
              ...servers.map((name) => whole(mean(figureOf(figures, shape, kind, name)?.serverCpu ?? []))),
              ...targets.map((name) => whole(mean(figureOf(figures, shape, kind, name)?.databaseCpu ?? []))),
            ]),
          ),
        ]
      : []),
  ];
}

function listingSections(figures: ListingFigure[], against: string | undefined): string[] {
  const targets = [...new Set(figures.map(({ target }) => target))];
  const title = (target: ServerName): string => titleOf(target, against);
  const others = targets.filter((target) => target === 'bare' || target === 'against');
  const rows = figures.filter(({ target }) => target === targets[0]);
  const find = ({ resolved, kind }: ListingFigure, target: ServerName): ListingFigure | undefined =>
    figures.find((one) => one.resolved === resolved && one.kind === kind && one.target === target);
  const ratio = (row: ListingFigure, one: ServerName, other: ServerName): string =>
    ratioOf(ratiosOfRounds(find(row, one)?.perSecond ?? [], find(row, other)?.perSecond ?? []));
  const hasCpu = figures.some(({ databaseCpu }) => databaseCpu.length > 0);
  return [
    `## Listing${beside(against)}: \`GET /alerts\` of three open alerts`,
    'First: since something has changed for the user. Again: nothing has, and our server remembers what it said.',
    table(
      [
        'closed alerts behind',
        'kind',
        ...targets.map((target) => `${title(target)}, a second`),
        ...others.map((target) => `fastify : ${title(target)}`),
        ...targets.map((target) => `${title(target)} alone, ms`),
      ],
      rows.map((row) => [
        whole(row.resolved),
        row.kind,
        ...targets.map((target) => whole(median(find(row, target)?.perSecond ?? []))),
        ...others.map((target) => ratio(row, 'fastify', target)),
        ...targets.map((target) => fraction(median(find(row, target)?.latencyAlone ?? []))),
      ]),
    ),
    ...(hasCpu
      ? [
          `## Listing${beside(against)}: CPU time, µs a request`,
          table(
            [
              'closed alerts behind',
              'kind',
              ...targets.map(title),
              ...targets.map((target) => `database (${title(target)})`),
            ],
            rows.map((row) => [
              whole(row.resolved),
              row.kind,
              ...targets.map((target) => whole(mean(find(row, target)?.serverCpu ?? []))),
              ...targets.map((target) => whole(mean(find(row, target)?.databaseCpu ?? []))),
            ]),
          ),
        ]
      : []),
  ];
}

function bigSection({ bodySize, figures, startMemory, peakMemory }: BigFigures): string {
  const delays = (list: { p99: number; max: number }[]): string =>
    `${whole(median(list.map(({ p99 }) => p99)))} / ${whole(median(list.map(({ max }) => max)))}`;
  return [
    `## One webhook of ${whole(BIG_SIZE)} alerts (${megabytes(bodySize)})`,
    table(
      [
        '',
        'kind',
        'answered after, ms',
        'listings meanwhile, p99 / max ms',
        'webhooks of 1 alert, p99 / max ms',
        'requests of others that failed',
      ],
      figures.map(({ target, kind, duration, listed, posted, failures }) => [
        target,
        kind,
        whole(median(duration)),
        delays(listed),
        delays(posted),
        countsOf(failures),
      ]),
    ),
    ...(peakMemory.length > 0
      ? [
          `Most memory of a fresh server over the three: ${megabytes(median(peakMemory))}, ` +
            `of which it had ${megabytes(median(startMemory))} before.`,
        ]
      : []),
  ].join('\n\n');
}

function overloadSection(figures: OverloadFigure[]): string {
  const latencies = (some: Latencies | undefined): string =>
    some ? `${whole(some.p50)} / ${whole(some.p99)}` : '';
  const perSecond = (some: Latencies | undefined, elapsed: number): string =>
    whole(((some?.count ?? 0) / elapsed) * 1000);
  return [
    `## Twice the load that it can take, for ${figures[0]?.seconds ?? 0} s (webhooks a second)`,
    table(
      [
        'alerts a webhook',
        'at most',
        'offered',
        'accepted',
        'refused (503)',
        'anything else',
        'not sent: no free connection',
        'accepted, p50 / p99 ms',
        'refused, p50 / p99 ms',
        'listings, p50 / p99 ms',
        'listings failed',
        'memory at most',
        'first / last third',
      ],
      figures.map(({ size, capacity, offered, result, watch, memory }) => [
        whole(size),
        whole(capacity),
        whole(offered),
        perSecond(result.accepted, result.elapsed),
        perSecond(result.refused, result.elapsed),
        countsOf(result.others),
        whole(result.unsent),
        latencies(result.accepted),
        latencies(result.refused),
        latencies(watch.listed),
        countsOf(watch.failures),
        memory ? megabytes(memory.most) : '',
        memory ? `${megabytes(memory.first)} / ${megabytes(memory.last)}` : '',
      ]),
    ),
  ].join('\n\n');
}

function walSection(figures: WalFigure[], against: string | undefined): string {
  const servers = [...new Set(figures.map(({ target }) => target))];
  const others = servers.filter((target) => target === 'against');
  const bytes = (shape: WebhookShape, kind: Kind, target: ServerName): string =>
    whole(median(walFigureOf(figures, shape, kind, target)?.bytesPerAlert ?? []));
  return [
    `## Write-ahead log${beside(against)}, bytes an alert`,
    table(
      ['alerts a webhook', 'connections', '', ...KINDS],
      walShapesOf(figures).flatMap((shape) => {
        const first = [whole(shape.size), whole(shape.connections)];
        return [
          ...servers.map((target) => [
            ...first,
            titleOf(target, against),
            ...KINDS.map((kind) => bytes(shape, kind, target)),
          ]),
          ...others.map((target) => [
            ...first,
            `fastify : ${titleOf(target, against)}`,
            ...KINDS.map((kind) => fraction(walRatio(figures, shape, kind, target))),
          ]),
        ];
      }),
    ),
  ].join('\n\n');
}

function hostileSection(figures: HostileFigure[]): string {
  return [
    `## ${AT_ONCE} hostile requests at once, again and again for ${figures[0]?.seconds ?? 0} s`,
    table(
      [
        'what',
        'salvos',
        'answered',
        'listings of others',
        'p50 / p99 / max ms',
        'listings failed',
        'memory at most',
      ],
      figures.map(({ kind, result, watch: { listed, failures }, memory }) => [
        kind,
        whole(result.salvos),
        countsOf(result.answers),
        whole(listed?.count ?? 0),
        listed ? [listed.p50, listed.p99, listed.max].map(whole).join(' / ') : '',
        countsOf(failures),
        memory === undefined ? '' : megabytes(memory),
      ]),
    ),
  ].join('\n\n');
}

function namesOf(figures: WebhookFigure[]): TargetName[] {
  const order: TargetName[] = [
    'fastify',
    'nobody',
    'everybody',
    'against',
    'express',
    'bare',
    'floor',
    'pgbench',
    'floorPgbench',
  ];
  return order.filter((target) => figures.some((one) => one.target === target));
}

/** What tells a section from that of a run without another revision. */
function beside(against: string | undefined): string {
  return against === undefined ? '' : ` beside ${against}`;
}

/** @param against the commit that was measured too */
function titleOf(target: TargetName, against: string | undefined): string {
  if (target === 'against' && against !== undefined) return against;
  return target === 'floorPgbench' ? 'floor in pgbench' : target;
}

/** Columns as wide as Prettier makes them, so that what is pasted stays as it is. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function whole(value: number): string {
  return Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en');
}

export function fraction(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '' : value.toFixed(2);
}

/** Their median, and between which it lies where there are enough rounds to say so. */
function ratioOf(rounds: number[]): string {
  const bounds = boundsOfMedian(rounds);
  return [fraction(median(rounds)), ...(bounds ? [`(${bounds.map(fraction).join('–')})`] : [])].join(' ');
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 20e6 ? 1 : 0)} MB`;
}

function countsOf(counts: Record<string, number>): string {
  const all = Object.entries(counts).map(([what, count]) => `${count} × ${what}`);
  return all.length === 0 ? 'none' : all.join(', ');
}
