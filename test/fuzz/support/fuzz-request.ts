import type { JsonTree } from './json-tree.js';

export type RouteName =
  | 'webhook'
  | 'grafana'
  | 'list'
  | 'history'
  | 'stream'
  | 'feed'
  | 'create'
  | 'update'
  | 'seen'
  | 'preferences'
  | 'say'
  | 'documents'
  | 'panel'
  | 'probe'
  | 'nowhere';

/** How a request is sent. */
export type Manner =
  | { how: 'whole' }
  /** In pieces of so many bytes. */
  | { how: 'in pieces'; of: number }
  /** The head first, and the body when the server asks for it (RFC 9110, section 10.1.1). */
  | { how: 'expecting' }
  /** So many times at once, without waiting for an answer. */
  | { how: 'pipelined'; times: number }
  /** Only a share of its bytes, and then the client says that no more will come, or leaves. */
  | { how: 'half closed' | 'left'; share: number };

/** A request in the making: valid at first, until mutations have been at it. */
export interface FuzzRequest {
  route: RouteName;
  /** The user's id where the token is good. */
  caller: string | undefined;
  method: string;
  path: string;
  /** Without the question mark, as it goes over the wire. */
  query: string;
  version: string;
  headers: [name: string, value: string][];
  json: JsonTree | undefined;
  body: Buffer | undefined;
  /** Values of Content-Length in place of the right one; none for none. */
  lengths: string[] | undefined;
  /** What goes before the request line. */
  prelude: Buffer;
  manner: Manner;
  /** What it still is, and so what it may be answered. */
  is: {
    /** Nothing has been changed. */
    valid: boolean;
    /** Its method and path are those of its route. */
    addressed: boolean;
    /** It is one request of HTTP/1.1, whatever it asks for. */
    http: boolean;
  };
}

/** The request as it goes over the wire; its head and its body. */
export function wireFormOf(request: FuzzRequest): { head: Buffer; body: Buffer } {
  const { method, path, query, version, prelude, headers, body = Buffer.alloc(0) } = request;
  const target = query === '' ? path : `${path}?${query}`;
  const lines = [`${method} ${target} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const hasLength = request.body !== undefined && !isChunked(request);
  for (const length of request.lengths ?? (hasLength ? [`${body.length}`] : [])) {
    lines.push(`Content-Length: ${length}`);
  }
  const head = Buffer.concat([prelude, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')]);
  return { head, body };
}

export function isChunked(request: FuzzRequest): boolean {
  return hasHeader(request, 'Transfer-Encoding');
}

export function hasHeader({ headers }: FuzzRequest, name: string): boolean {
  return headers.some(([other]) => other.toLowerCase() === name.toLowerCase());
}

/** Puts a header in the place of the one of that name, or beside all others. */
export function setHeader(request: FuzzRequest, name: string, value: string): void {
  removeHeader(request, name);
  request.headers.push([name, value]);
}

export function removeHeader(request: FuzzRequest, name: string): void {
  request.headers = request.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
}
