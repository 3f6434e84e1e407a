import { ProxyTracer, SpanStatusCode } from '@opentelemetry/api';
import { RecordedSpans } from '../../test/support/recorded-spans.js';
import { inSpan } from './spans.js';
import { currentTraceId } from './trace-context.js';

class StatementFailedError extends Error {}

describe('Work as a span', () => {
  it('is just done where no SDK is registered', async () => {
    const started = jest.spyOn(ProxyTracer.prototype, 'startActiveSpan');
    const done = await inSpan('store', (note) => {
      note({ alerts: 2 });
      return Promise.resolve('done');
    });
    expect(done).toBe('done');
    expect(started).not.toHaveBeenCalled();
  });

  describe('where one is', () => {
    let spans: RecordedSpans;
    beforeEach(() => {
      spans = new RecordedSpans();
    });
    afterEach(() => {
      spans.stop();
    });

    it('has a name and what was noted, and is the current trace meanwhile', async () => {
      const traceId = await inSpan('store', async (note) => {
        note({ alerts: 2 });
        await new Promise(setImmediate);
        note({ sender: 'grafana' });
        return currentTraceId();
      });
      const [span] = spans.named('session_alerts.store');
      expect(span?.spanContext().traceId).toBe(traceId);
      expect(span?.attributes).toEqual({ 'session_alerts.alerts': 2, 'session_alerts.sender': 'grafana' });
      expect(span?.status).toEqual({ code: SpanStatusCode.UNSET });
    });

    it('tells of what was thrown the class, and no word of it', async () => {
      const error = new StatementFailedError('postgresql://user:hunter2@db', { cause: new Error('SELECT') });
      await expect(inSpan('list', () => Promise.reject(error))).rejects.toBe(error);
      const [span] = spans.named('session_alerts.list');
      expect(span?.attributes).toEqual({ 'error.type': 'StatementFailedError' });
      expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
      expect(spans.text).not.toMatch(/hunter2|SELECT/);
    });
  });
});
