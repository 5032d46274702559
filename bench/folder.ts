import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
process.once('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Makes an empty folder on disk. It is removed when the process exits. */
export function makeFolder(): string {
  return makeFolderIn(tmpdir());
}

/** Makes an empty folder in memory if possible. It is removed when the process exits. */
export function makeFolderInMemory(): string {
  return makeFolderIn(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}

function makeFolderIn(parent: string): string {
  const folder = mkdtempSync(join(parent, 'log-export-gateway-bench-'));
  made.push(folder);
  return folder;
}
