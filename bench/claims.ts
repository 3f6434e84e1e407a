import { BIG_SIZE } from './big.js';
import type { HostileFigure } from './hostile.js';
import { LISTING_KINDS } from './listing.js';
import type { ListingFigure } from './listing.js';
import { PARTS } from './options.js';
import type { Part } from './options.js';
import type { Results } from './results.js';
import { median } from './statistics.js';
import type { ServerName } from './target-process.js';
import { walFigureOf, walShapesOf } from './wal-figures.js';
import type { WalFigure } from './wal-figures.js';
import { KINDS } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';
import type { TargetName, WebhookShape } from './webhook-target.js';
import { figureOf, shapesOf } from './webhook-figures.js';
import type { WebhookFigure } from './webhook-figures.js';

/** What the documentation promises, and what came out. */
export interface Claim {
  claim: string;
  measured: string;
  holds: boolean;
}

const MEGABYTE = 1e6;

export function claimsOf(results: Results): Claim[] {
  return PARTS.flatMap((part) => claimsOfPart(results, part));
}

/** Those of one part; none where it was left out. */
export function claimsOfPart(results: Results, part: Part): Claim[] {
  const { against, pair, webhooks, listing, big, overload, wal, hostile, delivery } = results;
  switch (part) {
    case 'webhooks':
      return webhooks ? [...ofWebhooks(webhooks), ...ofWebhooksAgainst(webhooks, against, pair)] : [];
    case 'listing':
      return listing ? [...ofListing(listing), ...ofListingAgainst(listing, against, pair)] : [];
    case 'big':
      return big ? ofBig(big) : [];
    case 'overload':
      return (overload ?? []).map(({ size, result: { accepted } }) =>
        atMost(`overload, ${size} alerts a webhook: p99 of the accepted, s`, 2, [
          (accepted?.p99 ?? NaN) / 1000,
        ]),
      );
    case 'wal':
      return wal ? [...ofWal(wal), ...ofWalAgainst(wal, against)] : [];
    case 'hostile':
      return hostile ? ofHostile(hostile) : [];
    case 'delivery':
      return delivery ? ofDelivery(delivery) : [];
  }
}

/** The shapes at which webhooks of one alert, of a hundred and of a thousand are compared with the same statements. */
const ONE: WebhookShape = { size: 1, connections: 32 };
const HUNDRED: WebhookShape = { size: 100, connections: 8 };
const THOUSAND: WebhookShape = { size: 1000, connections: 4 };

function ofWebhooks(figures: WebhookFigure[]): Claim[] {
  const ratios = (shapes: WebhookShape[], target: TargetName): number[] =>
    ratiosOf(figures, shapes, KINDS, target);
  const hundreds = shapesOf(figures).filter(({ size }) => size === 100);
  const claims: [claim: string, least: number, ratios: number[]][] = [
    ['1 alert a webhook: of bare', 2.5, ratios([ONE], 'bare')],
    ['100 alerts a webhook: of bare', 0.85, ratios([HUNDRED], 'bare')],
    ['1,000 alerts a webhook: of bare', 0.85, ratios([THOUSAND], 'bare')],
    ['100 alerts a webhook: of pgbench', 0.6, ratios([HUNDRED], 'pgbench')],
    ['1,000 alerts a webhook: of pgbench', 0.45, ratios([THOUSAND], 'pgbench')],
    ...hundreds.map(({ connections }): [string, number, number[]] => [
      `100 alerts a webhook, ${connectionsText(connections)}: of floor`,
      0.6,
      ratios([{ size: 100, connections }], 'floor'),
    ]),
  ];
  return claims
    .filter(([, , ratios]) => ratios.length > 0)
    .map(([claim, least, ratios]) => atLeast(`${claim} (${KINDS.join(', ')})`, least, ratios));
}

/** How many times as fast as the other revision new and ended alerts are at least, one a webhook, by connections. */
const ONE_AGAINST = [
  { connections: 1, least: 1.3 },
  { connections: 8, least: 1.8 },
  { connections: 32, least: 1.3 },
];
const HUNDRED_AGAINST = 1.8;
/** Beside a revision that is measured alone: that nothing has become slower. */
const AS_FAST = 0.97;

function ofWebhooksAgainst(figures: WebhookFigure[], commit: string | undefined, isPair = false): Claim[] {
  if (commit === undefined) return [];
  const shapes = shapesOf(figures);
  if (isPair) {
    const ratios = ratiosOf(figures, shapes, KINDS, 'against');
    return [atLeast(`each size, number of connections and kind: of ${commit}`, AS_FAST, ratios)];
  }
  const claim = (text: string, least: number, some: WebhookShape[], kinds: readonly Kind[]): Claim[] => {
    const ratios = ratiosOf(figures, some, kinds, 'against');
    return ratios.length === 0 ? [] : [atLeast(`${text}: of ${commit} (${kinds.join(', ')})`, least, ratios)];
  };
  return [
    ...ONE_AGAINST.flatMap(({ connections, least }) =>
      claim(
        `1 alert a webhook, ${connectionsText(connections)}`,
        least,
        [{ size: 1, connections }],
        ['new', 'resolved'],
      ),
    ),
    ...shapes
      .filter(({ size }) => size === 100)
      .flatMap((shape) =>
        claim(
          `100 alerts a webhook, ${connectionsText(shape.connections)}`,
          HUNDRED_AGAINST,
          [shape],
          ['new', 'changed', 'resolved'],
        ),
      ),
    ...claim('each size and number of connections', 1, shapes, ['repeat']),
  ];
}

function ofListingAgainst(figures: ListingFigure[], commit: string | undefined, isPair = false): Claim[] {
  if (commit === undefined) return [];
  const rates = (target: ServerName, kind: string) =>
    figures.find((one) => one.target === target && one.kind === kind)?.perSecond ?? [];
  const ratios = LISTING_KINDS.map(
    (kind) => medianRatio(rates('fastify', kind), rates('against', kind)) ?? NaN,
  );
  return [atLeast(`listing: of ${commit} (${LISTING_KINDS.join(', ')})`, isPair ? AS_FAST : 1, ratios)];
}

function ofWal(figures: WalFigure[]): Claim[] {
  return figures
    .filter(({ target, size, kind }) => target === 'fastify' && size === 1000 && kind === 'repeat')
    .map(({ bytesPerAlert }) => atMost('an unchanged repeat: bytes of WAL', 60, [median(bytesPerAlert)]));
}

/** How much of its pace a webhook keeps where nobody wants to be told outside of the page, and where everybody does. */
const NOBODY_TOLD = 0.95;
const EVERYBODY_TOLD = 0.75;

function ofDelivery(figures: WebhookFigure[]): Claim[] {
  return shapesOf(figures).flatMap((shape) =>
    (
      [
        ['nobody', NOBODY_TOLD],
        ['everybody', EVERYBODY_TOLD],
      ] as const
    ).map(([target, least]) =>
      atLeast(
        `${shape.size} alerts a webhook, ${target} to be told: of nothing to tell (${KINDS.join(', ')})`,
        least,
        KINDS.map((kind) => webhookRatio(figures, shape, kind, target, 'fastify') ?? NaN),
      ),
    ),
  );
}

/** Kinds that write; a repeat writes next to nothing. */
const WRITTEN_KINDS: Kind[] = ['new', 'changed', 'resolved'];

function ofWalAgainst(figures: WalFigure[], commit: string | undefined): Claim[] {
  if (commit === undefined) return [];
  return walShapesOf(figures).map((shape) => {
    const { size, connections } = shape;
    const alerts = `${size.toLocaleString('en')} ${size === 1 ? 'alert' : 'alerts'} a webhook`;
    return atMost(
      `bytes of WAL, ${alerts}, ${connectionsText(connections)}: of ${commit} (${WRITTEN_KINDS.join(', ')})`,
      0.6,
      WRITTEN_KINDS.map((kind) => walRatio(figures, shape, kind, 'against') ?? NaN),
    );
  });
}

/** Our bytes an alert to those of another server. */
export function walRatio(
  figures: WalFigure[],
  shape: WebhookShape,
  kind: Kind,
  other: ServerName,
): number | undefined {
  const [ours, theirs] = (['fastify', other] as const).map((target) =>
    walFigureOf(figures, shape, kind, target),
  );
  return ours && theirs && median(ours.bytesPerAlert) / median(theirs.bytesPerAlert);
}

/** Our ratios to another target, of those shapes and kinds that were measured. */
function ratiosOf(
  figures: WebhookFigure[],
  shapes: WebhookShape[],
  kinds: readonly Kind[],
  other: TargetName,
): number[] {
  return shapes.flatMap((shape) =>
    kinds.flatMap((kind) => webhookRatio(figures, shape, kind, 'fastify', other) ?? []),
  );
}

function ofListing(figures: ListingFigure[]): Claim[] {
  if (!figures.some(({ target }) => target === 'bare')) return [];
  const sizes = [...new Set(figures.map(({ resolved }) => resolved))];
  const rates = (target: ServerName, kind: string, resolved: number | undefined): number[] =>
    figures.find((one) => one.target === target && one.kind === kind && one.resolved === resolved)
      ?.perSecond ?? [];
  const ofBare = LISTING_KINDS.map((kind) =>
    atLeast(
      `listing, ${kind}: of bare (each size)`,
      0.75,
      sizes.map((size) => medianRatio(rates('fastify', kind, size), rates('bare', kind, size)) ?? NaN),
    ),
  );
  const [least, most] = [sizes[0], sizes.at(-1)];
  if (sizes.length < 2) return ofBare;
  const grown = median(rates('fastify', 'first', most)) / median(rates('fastify', 'first', least));
  const [few, many] = [least, most].map((size) => size?.toLocaleString('en') ?? '');
  return [...ofBare, atLeast(`listing, first, with ${many} closed alerts: of ${few}`, 0.8, [grown])];
}

function ofBig({ figures, peakMemory }: NonNullable<Results['big']>): Claim[] {
  const ours = figures.filter(({ target }) => target === 'fastify');
  const webhook = `${BIG_SIZE.toLocaleString('en')} alerts`;
  const kinds = ours.map(({ kind }) => kind).join(', ');
  const claims = [
    atMost(
      `${webhook}: s until the answer (${kinds})`,
      10,
      ours.map(({ duration }) => median(duration) / 1000),
    ),
    atMost(
      `${webhook}: others wait for a listing, ms at most (${kinds})`,
      250,
      ours.map(({ listed }) => median(listed.map(({ max }) => max))),
    ),
    atMost(
      `${webhook}: others wait for a webhook, ms at most (${kinds})`,
      250,
      ours.map(({ posted }) => median(posted.map(({ max }) => max))),
    ),
  ];
  const failures = ours.map(({ failures }) => Object.values(failures).reduce((sum, count) => sum + count, 0));
  const memory =
    peakMemory.length > 0 ? [atMost(`${webhook}: MB of memory`, 300, [median(peakMemory) / MEGABYTE])] : [];
  return [...claims, atMost(`${webhook}: requests of others that fail (${kinds})`, 0, failures), ...memory];
}

function ofHostile(figures: HostileFigure[]): Claim[] {
  const memory = figures.flatMap((figure) => figure.memory ?? []);
  return [
    atMost(
      'hostile requests: others wait for a listing, p99, ms (each kind)',
      250,
      figures.map(({ watch }) => watch.listed?.p99 ?? NaN),
    ),
    atMost(
      'hostile requests: listings of others that fail (each kind)',
      0,
      figures.map(({ watch }) => Object.values(watch.failures).reduce((sum, count) => sum + count, 0)),
    ),
    atMost(
      'hostile requests: answers that are not documented (each kind)',
      0,
      figures.map(({ undocumented }) => undocumented),
    ),
    ...(memory.length > 0
      ? [
          atMost(
            'hostile requests: MB of memory (each kind)',
            500,
            memory.map((bytes) => bytes / MEGABYTE),
          ),
        ]
      : []),
  ];
}

/** How many times as fast one target is as another: the median over the rounds, in each of which both took turns. */
export function webhookRatio(...of: Parameters<typeof webhookRatios>): number | undefined {
  return medianOrNone(webhookRatios(...of));
}

/** The same of each round. */
export function webhookRatios(
  figures: WebhookFigure[],
  shape: WebhookShape,
  kind: Kind,
  target: TargetName,
  other: TargetName,
): number[] {
  const [ours, theirs] = [target, other].map((name) => figureOf(figures, shape, kind, name));
  return ratiosOfRounds(ours?.alertsPerSecond ?? [], theirs?.alertsPerSecond ?? []);
}

export function medianRatio(ours: number[], theirs: number[]): number | undefined {
  return medianOrNone(ratiosOfRounds(ours, theirs));
}

export function ratiosOfRounds(ours: number[], theirs: number[]): number[] {
  return theirs.length === 0 ? [] : ours.map((one, round) => one / (theirs[round] ?? NaN));
}

function medianOrNone(values: number[]): number | undefined {
  return values.length === 0 ? undefined : median(values);
}

export function atLeast(claim: string, limit: number, values: number[]): Claim {
  return {
    claim: `${claim} ≥ ${limit}`,
    measured: listOf(values),
    holds: values.every((value) => value >= limit),
  };
}

export function atMost(claim: string, limit: number, values: number[]): Claim {
  return {
    claim: `${claim} ≤ ${limit}`,
    measured: listOf(values),
    holds: values.every((value) => value <= limit),
  };
}

export function connectionsText(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`;
}

function listOf(values: number[]): string {
  return values.map((value) => value.toFixed(value < 10 ? 2 : 0)).join(', ');
}
