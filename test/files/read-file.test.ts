import { execFileSync } from 'node:child_process';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { readFile, readTextSync } from '#files/read-file.ts';
import { temporaryDir } from '../database/homes.ts';

function makeFile(size: number): string {
  const path = join(temporaryDir(), 'file');
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

const maxBytes = 8 * 1024 * 1024;

describe('a file', () => {
  test('of 8 MiB is read, and a larger one is refused before it is read', async () => {
    const [largest, larger] = [makeFile(maxBytes), makeFile(maxBytes + 1)];

    expect((await readFile(largest)).length).toBe(maxBytes);
    expect(readTextSync(largest).length).toBe(maxBytes);
    await expect(readFile(larger)).rejects.toThrow('it is larger than 8 MiB');
    expect(() => readTextSync(larger)).toThrow('it is larger than 8 MiB');
  });

  test('is read once for all who ask at the same time, and again for those who ask later', async () => {
    const path = makeFile(1);

    const reads = [readFile(path), readFile(path)];
    const [first, second] = await Promise.all(reads);
    writeFileSync(path, 'new');

    expect(second).toBe(first);
    expect(String(await readFile(path))).toBe('new');
  });

  test('that cannot be read is read again later', async () => {
    const path = makeFile(1);
    rmSync(path);

    await expect(Promise.all([readFile(path), readFile(path)])).rejects.toThrow('ENOENT');
    writeFileSync(path, 'there');

    expect(String(await readFile(path))).toBe('there');
  });

  test('that is a pipe is refused at once, as often as it is read', async () => {
    const path = join(temporaryDir(), 'pipe');
    execFileSync('mkfifo', [path]);

    for (let time = 0; time < 8; time += 1) {
      await expect(readFile(path)).rejects.toThrow('it is not a regular file');
    }
    await using file = await open(makeFile(1)); // no thread hangs

    expect(file.fd).toBeGreaterThan(0);
  });
});
