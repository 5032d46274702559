import { createHash } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file of API keys. */
export interface KeysFile extends Disposable {
  path: string;
}

/** Writes a file of API keys: the name, the key and the groups of each caller. */
export function openKeysFile(
  keys: readonly { name: string; key: string; groups?: string[] }[],
): KeysFile {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'api-keys-'));
  const path = join(folder.path, 'api-keys.json');
  const entries = keys.map(({ name, key, groups = [] }) => ({
    name,
    sha256: createHash('sha256').update(key).digest('hex'),
    groups,
  }));
  writeFileSync(path, JSON.stringify(entries));
  return { path, [Symbol.dispose]: () => folder.remove() };
}
