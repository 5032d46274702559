import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { makeFolder } from './folder.ts';
import type { Core } from './machine.ts';
import { maxWaitMs } from './wait-until.ts';

/** The compile cache of Node, as in the container image. The tests have one of their own that is already filled. */
const compileCache = process.env.NODE_COMPILE_CACHE ?? makeFolder();

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL'); // no process outlives the benchmark
});

/** What a process uses. */
export interface Usage {
  pid: number;
  /** The CPU time used so far, in milliseconds. */
  cpuMs(): number;
  /** Resident memory, in MiB. */
  residentMib(): number;
  /** The peak of resident memory, in MiB. */
  peakMib(): number;
  /** Resident memory that is not backed by files, in MiB: it counts against the limit of a container. */
  anonymousMib(): number;
}

/** A process of the benchmark. */
export interface Child extends Usage, AsyncDisposable {
  /** Sends a message to a process in `bench/processes`, and resolves with its answer. */
  call<Answer>(message: unknown): Promise<Answer>;
  /** Resolves with the first message, which a process in `bench/processes` sends when it is ready. */
  whenReady<Answer>(): Promise<Answer>;
  hasEnded(): boolean;
  /** The exit code; null before the exit, and after a signal. */
  exitCode(): number | null;
  /** Ends it with SIGTERM, and resolves when it has exited. Disposal uses SIGKILL. */
  end(): Promise<void>;
}

/** Starts `script` (a path from the project root) with Node. */
export function startChild(options: {
  script: string;
  /** Options of Node. */
  flags?: string[];
  core: Core;
  env?: Record<string, string>;
  isCompileCacheUsed?: boolean;
}): Child {
  const { script, flags = [], core, env = {}, isCompileCacheUsed = true } = options;
  return startProgram({
    command: [process.execPath, ...flags, pathOf(script)],
    core,
    env: { ...(isCompileCacheUsed && { NODE_COMPILE_CACHE: compileCache }), ...env },
  });
}

/** The absolute path of a file, given from the project root. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url));
}

/** Starts a program, pinned to `core` if processes can be pinned. */
export function startProgram(options: {
  command: string[];
  core: Core;
  env: Record<string, string>;
}): Child {
  const { core, env } = options;
  const pinned = core === undefined ? [] : ['taskset', '-c', String(core)];
  const [file = '', ...args] = [...pinned, ...options.command];
  const child = spawn(file, args, {
    // No AWS configuration of the machine reaches a process of the benchmark.
    env: { PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const endBy = async (signal: NodeJS.Signals) => {
    if (hasEnded()) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    ...usageOf(child.pid ?? 0),
    call(message) {
      child.send(message as object);
      return nextMessage(child, `its answer to ${JSON.stringify(message)}`);
    },
    whenReady: () => nextMessage(child, 'its first message'),
    hasEnded,
    exitCode: () => child.exitCode,
    end: () => endBy('SIGTERM'),
    [Symbol.asyncDispose]: () => endBy('SIGKILL'),
  };
}

/** Reads what a process uses. */
export function usageOf(pid: number): Usage {
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  const mib = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read('status'))?.[1]) / 1_024;
  return {
    pid,
    cpuMs() {
      // In nanoseconds. The times in `stat` are in hundredths of a second: a short round would take none.
      const ofThread = (id: string) => Number(read(`task/${id}/schedstat`).split(' ', 1)[0]);
      const threads = readdirSync(`/proc/${pid}/task`);
      return threads.reduce((sum, id) => sum + ofThread(id), 0) / 1e6;
    },
    residentMib: () => mib('VmRSS'),
    peakMib: () => mib('VmHWM'),
    anonymousMib: () => mib('RssAnon'),
  };
}

async function nextMessage<Answer>(child: ChildProcess, what: string): Promise<Answer> {
  const stop = new AbortController();
  const until = { signal: stop.signal };
  const command = child.spawnargs.join(' ');
  const exited = once(child, 'exit', until).then(([code, signal]) => {
    throw new Error(`${command} ended with ${code ?? signal}. Awaited: ${what}`);
  });
  const tooLate = delay(maxWaitMs, undefined, until).then(() => {
    throw new Error(`Waited ${maxWaitMs / 1_000} s for ${command}: ${what}`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', until), exited, tooLate]);
    return message;
  } finally {
    stop.abort();
    for (const unneeded of [exited, tooLate]) unneeded.catch(() => {});
  }
}
