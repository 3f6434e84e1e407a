import { svgOf } from './bar-chart.js';
import type { BarChart, Colour, Series } from './bar-chart.js';
import { connectionsText } from './claims.js';
import { LISTING_KINDS } from './listing.js';
import type { ListingFigure } from './listing.js';
import type { Results } from './results.js';
import { median } from './statistics.js';
import type { ServerName } from './target-process.js';
import { walFigureOf, walShapesOf } from './wal-figures.js';
import type { WalFigure } from './wal-figures.js';
import { figureOf, shapesOf } from './webhook-figures.js';
import type { WebhookFigure } from './webhook-figures.js';
import { KINDS } from './webhook-bodies.js';
import type { WebhookShape } from './webhook-target.js';

/** Who is drawn, in every chart in the same colour and order. */
const COLOURS = { fastify: 'blue', against: 'orange', bare: 'grey', floor: 'green' } satisfies Partial<
  Record<ServerName, Colour>
>;
type Drawn = keyof typeof COLOURS;
const DRAWN = Object.keys(COLOURS) as Drawn[];

/** How many alerts a webhook has that there is a chart of. */
const SIZES = [1, 100];

/** The charts of what was measured, as SVG, by the names of their files. */
export function chartsOf({ against, webhooks, listing, wal }: Results): Map<string, string> {
  const charts = new Map<string, string>();
  for (const size of SIZES) {
    const ofSize = (webhooks ?? []).filter((figure) => figure.size === size);
    if (ofSize.length > 0) charts.set(`webhooks-${size}.svg`, svgOf(chartOfWebhooks(ofSize, size, against)));
  }
  if (listing) charts.set('listing.svg', svgOf(chartOfListing(listing, against)));
  if (wal) charts.set('wal.svg', svgOf(chartOfWal(wal, against)));
  return charts;
}

function chartOfWebhooks(figures: WebhookFigure[], size: number, against: string | undefined): BarChart {
  const drawn = drawnOf(figures);
  return {
    title: size === 1 ? 'Webhooks of one alert' : `Webhooks of ${size} alerts`,
    unit: 'alerts a second',
    series: seriesOf(drawn, against),
    panels: KINDS.map((kind) => ({
      title: kind,
      groups: shapesOf(figures).map((shape) => ({
        label: connectionsText(shape.connections),
        values: drawn.map((target) => medianOf(figureOf(figures, shape, kind, target)?.alertsPerSecond)),
      })),
    })),
  };
}

function chartOfListing(figures: ListingFigure[], against: string | undefined): BarChart {
  const drawn = drawnOf(figures);
  const sizes = [...new Set(figures.map(({ resolved }) => resolved))];
  const find = (target: Drawn, kind: string, size: number) =>
    figures.find((one) => one.target === target && one.kind === kind && one.resolved === size);
  return {
    title: 'Listing the open alerts of a user',
    unit: 'requests a second',
    series: seriesOf(drawn, against),
    panels: sizes.map((size) => ({
      title: `${size.toLocaleString('en')} closed alerts behind`,
      groups: LISTING_KINDS.map((kind) => ({
        label: kind,
        values: drawn.map((target) => medianOf(find(target, kind, size)?.perSecond)),
      })),
    })),
  };
}

function chartOfWal(figures: WalFigure[], against: string | undefined): BarChart {
  const drawn = drawnOf(figures);
  const label = ({ size, connections }: WebhookShape): string =>
    `${size.toLocaleString('en')} × ${connections}`;
  return {
    title: 'Write-ahead log (alerts a webhook × connections)',
    unit: 'bytes an alert',
    series: seriesOf(drawn, against),
    panels: KINDS.map((kind) => ({
      title: kind,
      groups: walShapesOf(figures).map((shape) => ({
        label: label(shape),
        values: drawn.map((target) => medianOf(walFigureOf(figures, shape, kind, target)?.bytesPerAlert)),
      })),
    })),
  };
}

function drawnOf(figures: { target: string }[]): Drawn[] {
  return DRAWN.filter((target) => figures.some((one) => one.target === target));
}

function seriesOf(drawn: Drawn[], against: string | undefined): Series[] {
  const names: Partial<Record<Drawn, string>> = { fastify: 'this version', ...(against && { against }) };
  return drawn.map((target) => ({ name: names[target] ?? target, colour: COLOURS[target] }));
}

function medianOf(values: number[] | undefined): number | undefined {
  return values && values.length > 0 ? median(values) : undefined;
}
