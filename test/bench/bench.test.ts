import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('npm run bench prints every figure', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/main.ts', '--short']);

  const figures = stdout.split('\n').map((line) => line.replaceAll(/-?\d+(?:\.\d+)?/g, '#'));
  expect(figures).toEqual([
    expect.stringContaining(`Node v`),
    'create, # at once   gateway #/s, bare #/s, ratio # (goal ≥ #)',
    '  CPU time a call    gateway # µs, bare # µs, ratio #',
    '  and a node:http    gateway #/s, bare #/s, ratio #',
    '  AWS and callers    # % of their core at most',
    'create, one at once  gateway # ms, bare # ms, added # ms (goal ≤ #)',
    'GET /health/live     gateway #/s, bare #/s, ratio # (goal ≥ #)',
    '  CPU time a call    gateway # µs, bare # µs, ratio #',
    'start to ready       # ms (goal ≤ #), without compile cache # ms',
    'memory when ready    # MiB resident (goal ≤ #), without compile cache # MiB',
    'memory after use     # MiB more resident after # requests (goal ≤ #)',
    '',
  ]);
}, 120_000);
