import { EventStreamParser } from './event-stream.js';

const encoder = new TextEncoder();

function read(...pieces: string[]) {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(encoder.encode(piece)));
}

describe('The parser of event streams', () => {
  it('gives an event when its blank line comes', () => {
    const parser = new EventStreamParser();
    expect(parser.push(encoder.encode('data: [1]\n'))).toEqual([]);
    expect(parser.push(encoder.encode('\n'))).toEqual([{ type: 'message', data: '[1]' }]);
  });

  it('names events', () => {
    expect(read('event: feed\ndata: {}\n\ndata: []\n\n')).toEqual([
      { type: 'feed', data: '{}' },
      { type: 'message', data: '[]' },
    ]);
  });

  it.each([
    ['line feeds', 'data: a\n\ndata: b\n\n'],
    ['carriage returns', 'data: a\r\rdata: b\r\r'],
    ['both', 'data: a\r\n\r\ndata: b\r\n\r\n'],
  ])('ends lines at %s', (_, text) => {
    const expected = [
      { type: 'message', data: 'a' },
      { type: 'message', data: 'b' },
    ];
    expect(read(text)).toEqual(expected);
    expect(read(...text)).toEqual(expected);
  });

  it('joins lines of data, and takes one space off each', () => {
    expect(read('data:a\ndata:  b\ndata\n\n')).toEqual([{ type: 'message', data: 'a\n b\n' }]);
  });

  it('skips comments, other fields and events without data', () => {
    expect(read(': hello\n\nid: 7\nfoo: bar\nevent: feed\n\ndata: x\n\n')).toEqual([
      { type: 'message', data: 'x' },
    ]);
  });

  it('notes how long to wait before connecting again', () => {
    const parser = new EventStreamParser();
    parser.push(encoder.encode('retry: 2500\nretry: soon\n\n'));
    expect(parser.retry).toBe(2500);
  });

  it('puts characters together that were cut, and drops a byte order mark', () => {
    const bytes = encoder.encode('\uFEFFdata: Ää😀\n\n');
    const parser = new EventStreamParser();
    const events = [...bytes].flatMap((byte) => parser.push(new Uint8Array([byte])));
    expect(events).toEqual([{ type: 'message', data: 'Ää😀' }]);
  });

  it('gives nothing of an event that was cut off', () => {
    expect(read('data: whole\n\ndata: cut\n')).toEqual([{ type: 'message', data: 'whole' }]);
  });
});
