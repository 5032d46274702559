import fc from 'fast-check';
import { expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../world.ts';
import { numberToken } from './arbitraries.ts';
import { fuzz } from './fuzz.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const emulator = { activeTaskLimit: Number.POSITIVE_INFINITY, runningMs: 0, pendingMs: 0 };
const highest = 2n ** 60n;

test(`2,000 requests and connections are answered as they should be (seed ${seed})`, async () => {
  const { byStatus } = await fuzz({ count: 2_000, seed });

  expect(Object.keys(byStatus)).toEqual(expect.arrayContaining(['200', '201', '400', '404']));
});

test(`an integer from 0 to 2^60 arrives at AWS digit by digit (seed ${seed})`, async () => {
  await using world = await openWorld({ emulator });
  const instant = fc.oneof(
    fc.bigInt(0n, highest),
    fc.bigInt(2n ** 53n - 2n, 2n ** 53n + 2n),
    fc.constantFrom(0n, highest - 1n, highest),
  );

  await fc.assert(
    fc.asyncProperty(instant, async (from) => {
      const { statusCode } = await create(world, String(from));

      expect(statusCode).toBe(201);
      const input = world.creates().at(-1)?.input as { from: bigint | number };
      expect(String(input.from)).toBe(String(from));
    }),
    { numRuns: 200, seed },
  );
});

test(`nothing else arrives at AWS at all (seed ${seed})`, async () => {
  await using world = await openWorld({ emulator });
  const isInstant = (token: string) => /^(?:0|[1-9]\d*)$/.test(token) && BigInt(token) <= highest;
  const token = fc.oneof(
    numberToken.filter((text) => !isInstant(text)),
    fc.constantFrom('"5"', 'null', 'true', '[1]', '{}', 'NaN', 'Infinity', '1n', '٣', ''),
  );

  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      expect((await create(world, text)).statusCode).toBe(400);
    }),
    { numRuns: 500, seed },
  );
  expect(world.creates()).toEqual([]);
});

function create(world: World, from: string) {
  const body = JSON.stringify({ ...createBody, from: 0 }).replace('"from":0', `"from":${from}`);
  const headers = { 'content-type': 'application/json' };
  return world.app.inject({ method: 'POST', url: '/export-tasks', headers, body });
}
