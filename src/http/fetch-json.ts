/** How long an answer may take (ms) and how large it may be (bytes), and when nobody waits for it any more. */
export interface FetchJsonOptions {
  timeout: number;
  longest: number;
  signal: AbortSignal;
  headers?: Record<string, string>;
}

/**
 * Fetches JSON from a neighbour that may hang, stop half way or answer without end.
 * @returns the parsed body, and the moment of the answer by the neighbour's own clock
 * @throws Error what went wrong, naming the address
 */
export async function fetchJson(
  address: string,
  { timeout, longest, signal, headers = {} }: FetchJsonOptions,
): Promise<{ body: unknown; date: Date }> {
  // Not AbortSignal.any: Node 20 loses it, with its time-out, to the garbage collector.
  const aborter = new AbortController();
  const abort = (): void => {
    aborter.abort(new Error(`gave up waiting for ${address}`));
  };
  const timer = setTimeout(abort, timeout);
  signal.addEventListener('abort', abort);
  try {
    const response = await fetch(address, { headers, signal: aborter.signal });
    if (!response.ok) throw new Error(`${address} was answered with ${response.status}`);
    const date = response.headers.get('date');
    return { body: JSON.parse(await textOf(response, longest)), date: date ? new Date(date) : new Date() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    // Closes the connection where the answer was not read to its end.
    abort();
  }
}

async function textOf({ url, body }: Response, longest: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > longest) throw new Error(`${url} answered with more than ${longest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
