import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
process.once('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Makes an empty folder on the disk. It is gone when the measurement ends, however it ends. */
export function makeFolder(): string {
  return makeFolderIn(tmpdir());
}

/** Makes an empty folder in memory, where there is one. It is gone when the measurement ends. */
export function makeFolderInMemory(): string {
  return makeFolderIn(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}

function makeFolderIn(parent: string): string {
  const folder = mkdtempSync(join(parent, 'log-export-gateway-bench-'));
  made.push(folder);
  return folder;
}
