import { Client } from 'undici';

export interface Answer {
  status: number;
  text: string;
}

/** One connection, for one request at a time. */
export class HttpConnection {
  private readonly client: Client;

  constructor(url: string) {
    this.client = new Client(url, { pipelining: 1 });
  }

  /** Connects, by asking for what every target answers at once. */
  async open(): Promise<void> {
    await this.exchange('GET', '/healthz', {});
  }

  /** By undici's dispatch: its streams would cost the load generator as much again. */
  exchange(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body: Buffer | null = null,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let status = 0;
      this.client.dispatch(
        { method, path, headers, body },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_controller, statusCode) => {
            status = statusCode;
          },
          onResponseData: (_controller, chunk) => {
            chunks.push(chunk);
          },
          onResponseEnd: () => {
            resolve({ status, text: Buffer.concat(chunks).toString() });
          },
          onResponseError: (_controller, error) => {
            reject(error);
          },
        },
      );
    });
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

export async function openConnections(url: string, count: number): Promise<HttpConnection[]> {
  const connections = Array.from({ length: count }, () => new HttpConnection(url));
  await Promise.all(connections.map((connection) => connection.open()));
  return connections;
}

export async function closeAll(connections: HttpConnection[]): Promise<void> {
  await Promise.all(connections.map((connection) => connection.close()));
}

export function jsonAs(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}
