import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

import { isShort } from './form.ts';

/** Describes the machine in one line. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const pinning = core(0) === undefined ? 'not pinned' : 'pinned with taskset';
  return `${cpu?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}, ${pinning}`;
}

// The short form leaves it to the system: other tests use both cores at the same time.
const canPin = !isShort && availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** The number of a core, or of several; `undefined` if processes cannot be pinned, or there is only one core. */
export type Core = number | '0,1' | undefined;

function core<Number extends Core>(number: Number): Number | undefined {
  return canPin ? number : undefined;
}

/** The core of the measured process, which is alone on it. */
export const subjectCore = core(0);
/** The core of all other processes: callers and emulator. */
export const supportCore = core(1);

/** Both of them, for processes that one core cannot carry. */
export const bothCores = core('0,1');

/** Moves this process, and the children that it does not pin, to the support core. */
export function moveToSupportCore(): void {
  if (supportCore === undefined) return;
  spawnSync('taskset', ['-a', '-c', '-p', String(supportCore), String(process.pid)]);
}
