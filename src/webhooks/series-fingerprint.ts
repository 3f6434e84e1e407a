const SEPARATOR = 0xff;

/**
 * Alertmanager's fingerprint of a label set: FNV-1a, 64 bits, over the labels sorted by their names' bytes, each
 * name and value followed by the byte 0xff; 16 hex digits. The 64 bits are kept in two halves, as a number holds 53.
 * @see https://github.com/prometheus/common/blob/main/model/signature.go
 */
export function seriesFingerprint(labels: ReadonlyMap<string, string>): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  const addByte = (byte: number): void => {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0;
    low = product >>> 0;
  };
  const named = [...labels].map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const);
  for (const label of named.sort(([one], [other]) => Buffer.compare(one, other))) {
    for (const bytes of label) {
      for (const byte of bytes) addByte(byte);
      addByte(SEPARATOR);
    }
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
