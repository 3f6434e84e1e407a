import type { Kind } from './webhook-bodies.js';
import type { TargetName, WebhookShape } from './webhook-target.js';

/** One target, shape and kind; a value for each round. */
export interface WebhookFigure extends WebhookShape {
  target: TargetName;
  kind: Kind;
  alertsPerSecond: number[];
  /** CPU time of the server and of the database, in µs an alert. */
  serverCpu: number[];
  databaseCpu: number[];
}

/** The figure of that target, shape and kind. */
export function figureOf(
  figures: WebhookFigure[],
  { size, connections }: WebhookShape,
  kind: Kind,
  target: TargetName,
): WebhookFigure | undefined {
  return figures.find(
    (one) =>
      one.target === target && one.size === size && one.connections === connections && one.kind === kind,
  );
}

/** The shapes that were measured, in their order. */
export function shapesOf(figures: WebhookFigure[]): WebhookShape[] {
  const all = figures.map(({ size, connections }) => ({ size, connections }));
  return all.filter(
    (one, index) =>
      index ===
      all.findIndex(({ size, connections }) => size === one.size && connections === one.connections),
  );
}

/** Collects the values of all rounds. */
export class WebhookFigures {
  readonly all: WebhookFigure[] = [];

  add(
    target: TargetName,
    { size, connections }: WebhookShape,
    kind: Kind,
    values: { alertsPerSecond: number; serverCpu?: number; databaseCpu?: number },
  ): void {
    let figure = figureOf(this.all, { size, connections }, kind, target);
    if (!figure) {
      figure = { target, size, connections, kind, alertsPerSecond: [], serverCpu: [], databaseCpu: [] };
      this.all.push(figure);
    }
    figure.alertsPerSecond.push(values.alertsPerSecond);
    if (values.serverCpu !== undefined) figure.serverCpu.push(values.serverCpu);
    if (values.databaseCpu !== undefined) figure.databaseCpu.push(values.databaseCpu);
  }
}
