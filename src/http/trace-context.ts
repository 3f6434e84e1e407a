import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { openTelemetry } from './optional-packages.cjs';

/** Neither version ff nor ids of nothing but zeros. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/;
/** How long the header is in version 00; later versions may say more. */
const LENGTH = 55;

/** The callers' traces, for what is done for them; empty as long as no caller names one. */
const callers = new AsyncLocalStorage<string>();

/** To which trace a request belongs: that of the active span, else the one that its caller names. */
export function traceIdOf(request: IncomingMessage): string | undefined {
  return activeTraceId() ?? callersTraceId(request);
}

/** To which trace belongs what is being done; undefined where it is nobody's. */
export function currentTraceId(): string | undefined {
  return activeTraceId() ?? callers.getStore();
}

/** Does work for a request: the spans and log lines that come of it belong to the trace that the caller names. */
export function inTraceOf<T>(request: IncomingMessage, work: () => T): T {
  const traceId = callersTraceId(request);
  if (traceId === undefined) return work();
  return callers.run(traceId, () => {
    if (!openTelemetry || activeTraceId() !== undefined) return work();
    const { context, propagation } = openTelemetry;
    return context.with(propagation.extract(context.active(), request.headers), work);
  });
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
function callersTraceId({ headers }: IncomingMessage): string | undefined {
  const { traceparent } = headers;
  if (typeof traceparent !== 'string') return undefined;
  const [, version, traceId] = TRACEPARENT.exec(traceparent) ?? [];
  return version === '00' && traceparent.length > LENGTH ? undefined : traceId;
}

/** That of OpenTelemetry's active span, which an SDK or its instrumentation of HTTP has begun. */
function activeTraceId(): string | undefined {
  if (!openTelemetry) return undefined;
  const { context, trace } = openTelemetry;
  const span = trace.getSpanContext(context.active());
  return span && trace.isSpanContextValid(span) ? span.traceId : undefined;
}
