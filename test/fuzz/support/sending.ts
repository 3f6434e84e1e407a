import { setImmediate } from 'node:timers/promises';
import { WireConnection } from '../../../bench/wire-connection.js';
import type { Exchange, WireAnswer } from '../../../bench/wire-connection.js';
import { hasHeader, wireFormOf } from './fuzz-request.js';
import type { FuzzRequest } from './fuzz-request.js';

/** How long a request may go without an answer (ms): much longer than any of the server's own limits but a read body's. */
const PATIENCE = 45_000;

/** What became of a request; nobody waited for an answer where it was left. */
export type Outcome = Exchange | 'left';

/** Sends requests one after the other, over one connection for as long as the server lets it be. */
export class Sender {
  private kept: WireConnection | undefined;

  constructor(private readonly port: number) {}

  /** @throws UnreadableAnswerError what came is no HTTP */
  async send(request: FuzzRequest): Promise<Outcome> {
    const isReused = this.kept?.isOpen ?? false;
    const outcome = await this.sendOnce(request);
    // The server may close what is idle just then.
    const isStale =
      isReused && outcome !== 'left' && outcome.ending === 'closed' && outcome.answers.length === 0;
    return isStale ? this.sendOnce(request) : outcome;
  }

  close(): void {
    this.kept?.close();
    this.kept = undefined;
  }

  private async sendOnce(request: FuzzRequest): Promise<Outcome> {
    const connection = this.kept?.isOpen ? this.kept : await WireConnection.open(this.port);
    this.kept = undefined;
    let mayBeKept = false;
    try {
      const outcome = await exchange(connection, request);
      mayBeKept = outcome !== 'left' && isReusable(request, outcome);
      return outcome;
    } finally {
      if (mayBeKept) this.kept = connection;
      else connection.close();
    }
  }
}

async function exchange(connection: WireConnection, request: FuzzRequest): Promise<Outcome> {
  const { head, body } = wireFormOf(request);
  const { manner, method } = request;
  const answersTo = (times: number): Promise<Exchange> =>
    connection.answers({
      methods: Array<string>(times).fill(method),
      timeout: PATIENCE,
      isEnough: hasEvents,
    });
  switch (manner.how) {
    case 'whole':
      connection.write(head, body);
      return answersTo(1);
    case 'in pieces': {
      const all = Buffer.concat([head, body]);
      // Beyond some pieces there is nothing new to be found, only time to be lost.
      const size = Math.max(manner.of, Math.ceil(all.length / 200));
      for (let at = 0; at < all.length; at += size) {
        connection.write(all.subarray(at, at + size));
        await setImmediate();
      }
      return answersTo(1);
    }
    case 'expecting': {
      connection.write(head);
      await setImmediate();
      connection.write(body);
      return answersTo(1);
    }
    case 'pipelined':
      connection.write(...Array<Buffer[]>(manner.times).fill([head, body]).flat());
      return answersTo(manner.times);
    case 'half closed':
    case 'left': {
      const all = Buffer.concat([head, body]);
      connection.write(all.subarray(0, Math.ceil(all.length * manner.share)));
      if (manner.how === 'left') {
        await setImmediate();
        return 'left';
      }
      connection.halfClose();
      return answersTo(1);
    }
  }
}

/** A stream has no end; that it has begun is enough. */
function hasEvents({ headers, body }: WireAnswer): boolean {
  return (headers.get('content-type') ?? '').startsWith('text/event-stream') && body.includes('data: ');
}

function isReusable(request: FuzzRequest, { answers, ending, left }: Exchange): boolean {
  const [last] = answers.slice(-1);
  const isStream = (last?.headers.get('content-type') ?? '').startsWith('text/event-stream');
  // Behind a request that asks for another protocol Node leaves what it cannot read unanswered until its time-out.
  const isUpgrade = hasHeader(request, 'Upgrade');
  const isDone = ending === 'answered' && left === 0 && last?.headers.get('connection') !== 'close';
  return request.is.http && isDone && !isStream && !isUpgrade;
}
