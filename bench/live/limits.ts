import { readFileSync } from 'node:fs';

/** Files, and ports, that are in use beside the streams' own. */
const BESIDE = 500;

/**
 * Looks whether this system lets a process hold so many connections, and make them to one address.
 * @throws Error that says what to do
 */
export function checkLimits(streams: number): void {
  const needed = streams + BESIDE;
  // Node raises the soft limit to the hard one by itself.
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const files = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (files < needed) {
    throw new Error(
      `A process may have ${files} files open here, and ${streams} streams need ${needed}. ` +
        `Raise the limit (ulimit -Hn ${needed}), or measure fewer (--streams ${Math.max(0, files - BESIDE)}).`,
    );
  }
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim();
  const [first = 0, last = 0] = range.split(/\s+/).map(Number);
  const ports = last - first + 1;
  if (ports < needed) {
    throw new Error(
      `There are ${ports} ports for connections here, and ${streams} streams need ${needed}. Widen the range ` +
        `(sysctl net.ipv4.ip_local_port_range="15000 60999"), or measure fewer (--streams ${Math.max(0, ports - BESIDE)}).`,
    );
  }
}
