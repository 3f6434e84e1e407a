import { context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

/** OpenTelemetry's SDK, registered as a host would, with the spans that have ended. */
export class RecordedSpans {
  private readonly exporter = new InMemorySpanExporter();

  constructor() {
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.exporter)] }).register();
  }

  named(name: string): ReadableSpan[] {
    return this.exporter.getFinishedSpans().filter((span) => span.name === name);
  }

  /** All that they say, to look for what they must not. */
  get text(): string {
    const spans = this.exporter.getFinishedSpans();
    return JSON.stringify(
      spans.map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
    );
  }

  reset(): void {
    this.exporter.reset();
  }

  /** Registered is nothing any more. */
  stop(): void {
    for (const api of [trace, context, propagation]) api.disable();
  }
}
