import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** HTTP and JSON with nothing around them: what the servers that ours is compared with have in common. */

/** What they read of an alert in a webhook's body. */
export interface PostedAlert {
  status: 'firing' | 'resolved';
  labels: { alertname: string; safe_username: string; statefulset: string; severity: string };
  annotations: { title: string; description: string };
  startsAt: string;
  endsAt: string;
  fingerprint: string;
}

/** How a webhook is answered, as our server does. */
export interface WebhookSummary {
  stored: number;
  resolved: number;
}

export function summaryOf(alerts: { status: 'firing' | 'resolved' }[]): WebhookSummary {
  const resolved = alerts.filter(({ status }) => status === 'resolved').length;
  return { stored: alerts.length - resolved, resolved };
}

/** Answers 200 with what `answer` says, or 500 with why it failed, where the environment has `HOST` and `PORT`. */
export function serve(answer: (request: IncomingMessage) => Promise<unknown>): void {
  const server = createServer((request, response) => {
    answer(request).then(
      (body) => {
        send(response, 200, body);
      },
      (error: unknown) => {
        send(response, 500, String(error));
      },
    );
  });
  server.keepAliveTimeout = 310_000;
  server.listen(Number(process.env['PORT']), process.env['HOST']);
}

/** The alerts in a webhook's body. */
export async function readAlerts(request: IncomingMessage): Promise<PostedAlert[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return (JSON.parse(Buffer.concat(chunks).toString()) as { alerts: PostedAlert[] }).alerts;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
}
