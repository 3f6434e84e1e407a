import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { answerNodesErrors, refuseConnection } from './http-errors.js';
import { noteRequest } from './in-turn.js';

describe('What never becomes a request', () => {
  let server: Server;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    server = createServer({ requestTimeout: 100, headersTimeout: 100, connectionsCheckingInterval: 20 });
    answerNodesErrors(server);
    server.on('request', noteRequest);
    server.on('clientError', (error, socket: Socket) => {
      refuseConnection(error, socket, 16 * 1024);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => server.close());

  /** All that is answered until the connection ends. */
  async function answerTo(request: string, more = ''): Promise<string> {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    let answer = '';
    client.setEncoding('utf8').on('data', (text: string) => (answer += text));
    client.write(request);
    if (more !== '') client.write(more);
    await once(client, 'close');
    return answer;
  }

  it.each<[string, string, number]>([
    ['is not finished in time', 'GET / HTTP/1.1\r\nHost: a\r\n', 408],
    ['has headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20 * 1024)}`, 431],
    ['is no HTTP', 'hello\r\n\r\n', 400],
  ])('is answered with the error body: it %s', async (_what, request, status) => {
    const [head, body] = (await answerTo(request)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} \\w`));
    expect(head).toContain('Connection: close');
    expect(JSON.parse(body ?? '')).toEqual({
      error: { code: status, message: expect.stringMatching(/\w/) as string },
    });
  });

  it('is answered though more of it comes', async () => {
    const half = `GET / HTTP/1.1\r\nX: ${'x'.repeat(40 * 1024)}`;
    expect(await answerTo(half, 'x'.repeat(200 * 1024))).toMatch(/^HTTP\/1.1 431 /);
  });

  it('is answered where half of a request came before it', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await answerTo(`${head}no length\r\n`)).toMatch(/^HTTP\/1.1 400 /);
  });

  it('is never answered in the place of what came before it', async () => {
    const responses: ServerResponse[] = [];
    server.on('request', (_request, response: ServerResponse) => responses.push(response));
    const first = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const refused = once(server, 'clientError');
    const answer = answerTo(`${first}${first}hello\r\n\r\n`);
    await refused;
    for (const [index, response] of responses.entries()) response.end(`answer ${index + 1}`);
    expect((await answer).match(/HTTP\/1.1 \d+|answer \d/g)).toEqual([
      'HTTP/1.1 200',
      'answer 1',
      'HTTP/1.1 200',
      'answer 2',
    ]);
  });

  it('is not answered in the middle of an answer', async () => {
    server.on('request', (_request, response: ServerResponse) => response.write('begun'));
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await answerTo(head, 'no length\r\n')).not.toContain(' 400 ');
  });

  it('is answered once, whatever comes after it', async () => {
    const answer = await answerTo('hello\r\n\r\n', 'hello again\r\n\r\n'.repeat(100_000));
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1);
  });
});
