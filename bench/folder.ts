import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
process.once('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Makes an empty folder on disk. It is removed when the process exits. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'log-export-gateway-bench-'));
  made.push(folder);
  return folder;
}
