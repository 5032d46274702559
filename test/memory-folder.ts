import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where tests make the folders of their databases: in memory if possible. A disk takes milliseconds per commit. */
export const memoryFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
