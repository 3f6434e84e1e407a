import type { IncomingMessage } from 'node:http';
import { trace } from '@opentelemetry/api';
import { RecordedSpans } from '../../test/support/recorded-spans.js';
import { currentTraceId, inTraceOf, traceIdOf } from './trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const VALID = `00-${TRACE}-${PARENT}-01`;

function requestWith(traceparent?: string): IncomingMessage {
  return { headers: traceparent === undefined ? {} : { traceparent } } as unknown as IncomingMessage;
}

describe('The trace that a caller names', () => {
  it.each([VALID, `00-${TRACE}-${PARENT}-00`, `cc-${TRACE}-${PARENT}-01`, `cc-${TRACE}-${PARENT}-01-more`])(
    'is read from %s',
    (traceparent) => {
      expect(traceIdOf(requestWith(traceparent))).toBe(TRACE);
    },
  );

  it.each([
    undefined,
    '',
    TRACE,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE}-${PARENT}-01-more`,
    `cc-${TRACE}-${PARENT}-01more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    ` ${VALID}`,
    `${VALID}, ${VALID}`,
    `00-${TRACE}\n-${PARENT}-01`,
  ])('is none where the header is %j', (traceparent) => {
    expect(traceIdOf(requestWith(traceparent))).toBeUndefined();
    expect(inTraceOf(requestWith(traceparent), currentTraceId)).toBeUndefined();
  });

  it('is that of all that is done for the caller, and of nothing else', async () => {
    const seen = await Promise.all([
      inTraceOf(requestWith(VALID), async () => {
        await new Promise(setImmediate);
        return currentTraceId();
      }),
      new Promise(setImmediate).then(currentTraceId),
    ]);
    expect(seen).toEqual([TRACE, undefined]);
  });

  describe('where an SDK of OpenTelemetry is registered', () => {
    let spans: RecordedSpans;
    beforeEach(() => {
      spans = new RecordedSpans();
    });
    afterEach(() => {
      spans.stop();
    });

    it('is that of the spans that begin for the caller', () => {
      inTraceOf(requestWith(VALID), () => {
        trace.getTracer('test').startSpan('one').end();
      });
      expect(spans.named('one')).toMatchObject([{ parentSpanContext: { traceId: TRACE, spanId: PARENT } }]);
    });

    it('steps back behind the active span', () => {
      trace.getTracer('test').startActiveSpan('outer', (outer) => {
        const { traceId, spanId } = outer.spanContext();
        expect(traceIdOf(requestWith(VALID))).toBe(traceId);
        inTraceOf(requestWith(VALID), () => {
          expect(currentTraceId()).toBe(traceId);
          trace.getTracer('test').startSpan('inner').end();
        });
        expect(spans.named('inner')).toMatchObject([{ parentSpanContext: { traceId, spanId } }]);
        outer.end();
      });
    });
  });
});
