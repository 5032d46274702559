import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

// Without O_NONBLOCK, opening a pipe that nobody writes to blocks for ever.
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

// A list of 10,000 targets has 4 MB. Smaller: such a list is refused. Larger: a file by mistake ends the process.
const maxBytes = 8 * 1024 * 1024;

const pending = new Set<Promise<unknown>>();
const reads = new Map<string, Promise<Buffer>>();

/**
 * Reads a file. While a read of the same path has not ended, it returns that one: a read that hangs blocks a thread
 * of the process, and there are four.
 * @throws if it is not a regular file, such as a pipe, larger than 8 MiB, or not readable
 */
export function readFile(path: string): Promise<Buffer> {
  const read = reads.get(path) ?? track(readRegular(path)).finally(() => reads.delete(path));
  reads.set(path, read);
  return read;
}

/** Lists the names in a directory. */
export function listDirectory(path: string): Promise<string[]> {
  return track(readdir(path));
}

/** Whether a read hangs, as on a dead network drive: it does not end within this time. */
export async function isReadHanging(withinMs: number): Promise<boolean> {
  const ended = Promise.allSettled(pending).then(() => false);
  return await Promise.race([ended, delay(withinMs, true, { ref: false })]);
}

async function track<Result>(read: Promise<Result>): Promise<Result> {
  pending.add(read);
  try {
    return await read;
  } finally {
    pending.delete(read);
  }
}

async function readRegular(path: string): Promise<Buffer> {
  await using file = await open(path, flags);
  assertReadable(await file.stat());
  return await file.readFile();
}

/** Reads a text at once, as `readFile` does. */
export function readTextSync(path: string): string {
  const file = openSync(path, flags);
  try {
    assertReadable(fstatSync(file));
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function assertReadable(stats: Stats): void {
  if (stats.isDirectory()) throw new Error('it is a directory');
  if (!stats.isFile()) throw new Error('it is not a regular file');
  if (stats.size > maxBytes) throw new Error('it is larger than 8 MiB');
}
