/**
 * How the client gets its news: `connecting` as long as that is not known, `live` by the stream, `polling` where the
 * stream is blocked, `down` where neither works.
 */
export type Connection = 'connecting' | 'live' | 'polling' | 'down';
