import { cpus, totalmem } from 'node:os';
import { cpuOfMachine, cpuOfRun } from './proc.js';

/** Where and when it was measured. */
export interface Machine {
  cpu: string;
  cores: number;
  /** Bytes. */
  memory: number;
  platform: string;
  node: string;
  date: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

/**
 * Starts counting what other programs do: they take from what is measured. The returned function, to be called when
 * all that this run has started has ended, tells what share of the machine they had.
 */
export function disturbanceMeter(): () => number | undefined {
  const startedAt = performance.now();
  const machine = cpuOfMachine();
  const run = cpuOfRun();
  return () => {
    const [machineNow, runNow] = [cpuOfMachine(), cpuOfRun()];
    if (machine === undefined || run === undefined || machineNow === undefined || runNow === undefined) {
      return undefined;
    }
    const others = machineNow - machine - (runNow - run);
    return Math.max(0, others / ((performance.now() - startedAt) * cpus().length));
  };
}
