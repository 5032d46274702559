import { openChannel } from './channel.ts';

/** What is written as lines. */
export type LineOutput = 'audit' | 'log';

/** Lines that could not be written. */
export const lostLines = openChannel<{ output: LineOutput; lines: number }>('lines-lost');

/** Whether lines cannot be written: each failure, and the next success. */
export const writeFailures = openChannel<{ output: LineOutput; isFailing: boolean }>(
  'write-failure',
);
