import type { ServerName } from './target-process.js';
import type { Kind } from './webhook-bodies.js';
import type { WebhookShape } from './webhook-target.js';

/** One server, shape and kind; a value for each round. */
export interface WalFigure extends WebhookShape {
  target: ServerName;
  kind: Kind;
  bytesPerAlert: number[];
}

/** The figure of that server, shape and kind. */
export function walFigureOf(
  figures: WalFigure[],
  { size, connections }: WebhookShape,
  kind: Kind,
  target: ServerName,
): WalFigure | undefined {
  return figures.find(
    (one) =>
      one.target === target && one.size === size && one.connections === connections && one.kind === kind,
  );
}

/** The shapes that were measured, in their order. */
export function walShapesOf(figures: WalFigure[]): WebhookShape[] {
  return figures.filter(({ target, kind }) => target === 'fastify' && kind === 'new');
}
