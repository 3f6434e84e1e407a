import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seriesFingerprint } from './series-fingerprint.js';

const PAYLOADS = join(__dirname, '../../test/payloads');

interface SentAlert {
  labels: Record<string, string>;
  fingerprint: string;
}

function fingerprintOf(labels: Record<string, string>): string {
  return seriesFingerprint(new Map(Object.entries(labels)));
}

describe('The fingerprint of a series', () => {
  const sent = readdirSync(PAYLOADS).flatMap((file) => {
    const { alerts } = JSON.parse(readFileSync(join(PAYLOADS, file), 'utf8')) as { alerts: SentAlert[] };
    return alerts.map((alert, index) => ({ ...alert, where: `${file}, alert ${index + 1}` }));
  });

  it('has a good many of real ones to compare with', () => {
    expect(sent.length).toBeGreaterThanOrEqual(15);
  });

  it.each(sent)('is the one that Alertmanager sent in $where', ({ labels, fingerprint }) => {
    expect(fingerprintOf(labels)).toBe(fingerprint);
  });

  it.each(sent)('does not depend on the order of the labels in $where', ({ labels, fingerprint }) => {
    expect(fingerprintOf(Object.fromEntries(Object.entries(labels).reverse()))).toBe(fingerprint);
  });

  // FNV-1a's offset basis, https://datatracker.ietf.org/doc/html/rfc9923
  it('of no labels is the hash of nothing', () => {
    expect(fingerprintOf({})).toBe('cbf29ce484222325');
  });

  it.each([
    ['another value', { a: 'b' }, { a: 'c' }],
    ['another name', { a: 'b' }, { c: 'b' }],
    ['a boundary that moved between name and value', { ab: 'c' }, { a: 'bc' }],
    ['a label more', { a: 'b' }, { a: 'b', c: 'd' }],
  ])('changes with %s', (_what, one, other) => {
    expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
  });

  it('hashes the bytes of UTF-8, like a plain computation over big integers', () => {
    const labels = { alertname: 'Mémoire élevée 🚨', étiquette: '高い', empty: '' };
    expect(fingerprintOf(labels)).toBe(plainFnv1a(labels));
  });

  it('sorts names by their bytes, as Go does', () => {
    // U+FF21 sorts after U+1F6A8 by UTF-16 code units, before it by bytes.
    const labels = { '🚨': 'astral', Ａ: 'full width' };
    expect(fingerprintOf(labels)).toBe(plainFnv1a(labels));
  });
});

function plainFnv1a(labels: Record<string, string>): string {
  const names = Object.keys(labels).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const end = Buffer.from([0xff]);
  const bytes = Buffer.concat(
    names.flatMap((name) => [Buffer.from(name), end, Buffer.from(labels[name] ?? ''), end]),
  );
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, '0');
}
