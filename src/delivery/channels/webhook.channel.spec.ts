import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { AlertMessage } from '../alert-channel.js';
import { WebhookChannel } from './webhook.channel.js';

it('The webhook tells its origin alone where it is not reached', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((resolve) => server.close(resolve));
  const channel = new WebhookChannel(
    { url: `${origin}/hook?key=hidden`, secret: `whsec_${'A'.repeat(32)}` },
    () => Date.now(),
  );
  const message = { id: '1', userId: 'jane', createdDate: new Date(), alerts: [] } as unknown as AlertMessage;
  const failure = await channel.send(message, new AbortController().signal).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  expect(failure?.message).toMatch(/\w/);
  expect(failure?.message).not.toContain('hidden');
});
