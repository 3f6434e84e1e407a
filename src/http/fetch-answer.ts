/** How long an answer may take (ms) and how large it may be (bytes), and when nobody waits for it any more. */
export interface FetchLimits {
  timeout: number;
  longest: number;
  signal: AbortSignal;
}

/** What is asked; a GET that follows redirects where nothing else is said. */
export type Question = Pick<RequestInit, 'method' | 'headers' | 'body' | 'redirect'>;

/** An answer of any status, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The moment of the answer by the neighbour's own clock, to the second; undefined where it does not say. */
  date: Date | undefined;
}

/**
 * Asks a neighbour that may hang, stop half way or answer without end.
 * @throws Error what went wrong, naming the address
 */
export async function fetchAnswer(
  address: string,
  { timeout, longest, signal }: FetchLimits,
  question: Question = {},
): Promise<Answer> {
  // Not AbortSignal.any: Node 20 loses it, with its time-out, to the garbage collector.
  const aborter = new AbortController();
  const abort = (): void => {
    aborter.abort(new Error(`gave up waiting for ${address}`));
  };
  const timer = setTimeout(abort, timeout);
  signal.addEventListener('abort', abort);
  try {
    const response = await fetch(address, { ...question, signal: aborter.signal });
    const { status, headers } = response;
    const date = new Date(headers.get('date') ?? NaN);
    const text = await textOf(response, longest);
    return { status, headers, text, date: Number.isNaN(date.getTime()) ? undefined : date };
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
