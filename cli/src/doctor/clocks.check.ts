import type { ClockReading, Examination } from './check.js';
import { durationText } from './duration-text.js';

/** By how much (ms) the server lets the issuer's clock differ, and from when on it is worth a word. */
const TOLERANCE = 30_000;
const NOTICEABLE = 5_000;
const HERE = 'this machine';

/** The clocks along the chain agree; where not, it says whose is off. */
export function checkClocks(examination: Examination): void {
  const clocks = [{ whose: HERE, ahead: 0 }, ...examination.clocks];
  if (clocks.length === 1) {
    examination.skip('clocks', 'because nobody has told the time');
    return;
  }
  const apart = mostApart(clocks);
  const names = inWords(clocks.map(({ whose }) => whose));
  if (apart <= NOTICEABLE) {
    examination.ok('clocks', `${sentence(names)} agree within ${durationText(NOTICEABLE / 1000)}`);
    return;
  }
  const tell = (message: string, mend: string): void => {
    if (apart > TOLERANCE) examination.wrong('clocks', message, mend);
    else examination.warn('clocks', message, mend);
  };
  const tolerance = Math.min(TOLERANCE, apart / 2);
  const allies = clocks.map((one) => clocks.filter(({ ahead }) => Math.abs(ahead - one.ahead) <= tolerance));
  const most = allies.reduce((best, some) => (some.length > best.length ? some : best));
  const consequence = 'tokens expire too early or too late, and may be refused';
  if (allies.filter(({ length }) => length === most.length).length > most.length || most.length === 1) {
    const offsets = examination.clocks.map(({ whose, ahead }) => `${whose} is ${offset(ahead)} ${HERE}`);
    tell(
      `${sentence(offsets.join('; '))}: ${consequence}. Whose clock is off cannot be told from these`,
      'Compare each with a time server (`timedatectl`, `chronyc tracking`) and turn NTP on where it differs',
    );
    return;
  }
  const right = average(most);
  const off = clocks.filter((one) => !most.includes(one));
  const offsets = off.map(({ whose, ahead }) => `the clock of ${whose} is ${offset(ahead - right)}`);
  tell(
    `${sentence(offsets.join('; '))} ${inWords(most.map(({ whose }) => whose))}: ${consequence}`,
    `Set the clock of ${inWords(off.map(({ whose }) => whose))}: turn NTP on there (\`timedatectl set-ntp true\`, or chrony)`,
  );
}

function mostApart(clocks: ClockReading[]): number {
  const offsets = clocks.map(({ ahead }) => ahead);
  return Math.max(...offsets) - Math.min(...offsets);
}

function average(clocks: ClockReading[]): number {
  return clocks.reduce((sum, { ahead }) => sum + ahead, 0) / clocks.length;
}

/** To ten seconds where it is over a minute: clocks are read to the second. */
function offset(ahead: number): string {
  const seconds = Math.abs(ahead) / 1000;
  const text = durationText(seconds > 60 ? Math.round(seconds / 10) * 10 : seconds);
  return `${text} ${ahead > 0 ? 'ahead of' : 'behind'}`;
}

function inWords(names: string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
