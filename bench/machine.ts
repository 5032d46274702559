import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

/** The machine the figures hold for, in a line. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const pinning = core(0) === undefined ? 'not pinned' : 'pinned with taskset';
  return `${cpu?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}, ${pinning}`;
}

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** The core's number, where processes can be pinned and there is more than one core. */
function core(number: number): number | undefined {
  return canPin ? number : undefined;
}

/** The core of whoever is measured, alone on it. */
export const subjectCore = core(0);
/** The core of everybody else: callers and AWS. */
export const othersCore = core(1);

/** Moves this process, and what it starts without a core of its own, out of the subject's way. */
export function stepAside(): void {
  if (othersCore === undefined) return;
  spawnSync('taskset', ['-a', '-c', '-p', String(othersCore), String(process.pid)]);
}
