import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

// Without O_NONBLOCK, opening a pipe that nobody writes to blocks for ever.
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

const pending = new Set<Promise<unknown>>();

/** Reads a file. @throws if it is not a regular file, such as a pipe, or not readable */
export function readFile(path: string): Promise<Buffer> {
  return track(readRegular(path));
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
  assertRegular(await file.stat());
  return await file.readFile();
}

/** Reads a text at once, as `readFile` does. */
export function readTextSync(path: string): string {
  const file = openSync(path, flags);
  try {
    assertRegular(fstatSync(file));
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function assertRegular(stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stats.isFile()) return;
  throw new Error(stats.isDirectory() ? 'it is a directory' : 'it is not a regular file');
}
