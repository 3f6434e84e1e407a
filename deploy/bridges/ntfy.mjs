// Posts session alerts to ntfy, or with other words to whatever people read: NTFY_URL is the topic's address,
// WEBHOOK_SECRET what the server's DELIVERY_WEBHOOK_SECRET_FILE holds, PORT where DELIVERY_WEBHOOK_URL leads (8080).
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const { NTFY_URL, WEBHOOK_SECRET = '', PORT = '8080' } = process.env;
const key = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ''), 'base64');
if (!URL.canParse(NTFY_URL) || key.length < 24) throw new Error('Set NTFY_URL and WEBHOOK_SECRET');

/** Standard Webhooks: of the last five minutes, and signed with our secret; a signature each, with blanks between. */
function isGenuine(
  { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': signatures = '' },
  body,
) {
  const expected = createHmac('sha256', key).update(`${id}.${sentAt}.${body}`).digest();
  const isRight = (signature) => signature.length === expected.length && timingSafeEqual(signature, expected);
  const given = signatures.split(' ').filter((signature) => signature.startsWith('v1,'));
  return (
    Math.abs(Date.now() / 1000 - Number(sentAt)) < 300 &&
    given.some((signature) => isRight(Buffer.from(signature.slice(3), 'base64')))
  );
}

async function answer(request) {
  const body = await text(request);
  if (!isGenuine(request.headers, body)) return 401;
  const { alerts } = JSON.parse(body).data;
  const lines = alerts.map(
    ({ transition, title, session_name, link }) =>
      `${transition === 'over' ? 'Over: ' : ''}${title} (${session_name ?? 'no session'}) ${link ?? ''}`,
  );
  // What ntfy answers is what the server hears: it tries again later where that is 5xx or 429.
  return (await fetch(NTFY_URL, { method: 'POST', body: lines.join('\n') })).status;
}

const server = createServer((request, response) => {
  answer(request).then(
    (status) => response.writeHead(status).end(),
    () => response.writeHead(502).end(),
  );
});
server.listen(Number(PORT), () => console.log(`Listening on ${server.address().port}`));
