import type { Tracer, TracerProvider } from '@opentelemetry/api';
import { openTelemetry } from './optional-packages.cjs';

/** Says of a span what it was about: counts and fixed words, never whose it is, and no text of an alert. */
export type Note = (attributes: Record<string, number | string | boolean>) => void;

const TRACER = 'nestjs-session-alerts';
const PREFIX = 'session_alerts';
const NOT_NOTED: Note = () => undefined;

/**
 * Does work as a span of OpenTelemetry where an SDK is registered in the process; elsewhere it just does it. Of what is
 * thrown the span has the class, and not the message, which may quote an address or a statement.
 * @param name follows `session_alerts.`
 */
export function inSpan<T>(name: string, work: (note: Note) => Promise<T>): Promise<T> {
  const tracer = registeredTracer();
  if (!openTelemetry || !tracer) return work(NOT_NOTED);
  const { ERROR } = openTelemetry.SpanStatusCode;
  return tracer.startActiveSpan(`${PREFIX}.${name}`, async (span) => {
    try {
      return await work((attributes) => {
        for (const [key, value] of Object.entries(attributes)) span.setAttribute(`${PREFIX}.${key}`, value);
      });
    } catch (error) {
      span.setAttribute('error.type', error instanceof Error ? error.constructor.name : typeof error);
      span.setStatus({ code: ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The API's own provider, which stands for that of an SDK that may come later. */
interface Standin extends TracerProvider {
  getDelegateTracer?(name: string): Tracer | undefined;
}

/** Without an SDK the API would hand out one that does nothing, at some cost. */
function registeredTracer(): Tracer | undefined {
  const provider: Standin | undefined = openTelemetry?.trace.getTracerProvider();
  return provider?.getDelegateTracer ? provider.getDelegateTracer(TRACER) : provider?.getTracer(TRACER);
}
