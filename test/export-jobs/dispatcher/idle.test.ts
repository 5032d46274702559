import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { openQueue, type Queue } from '../open-queue.ts';

const targets = Array.from({ length: 3 }, (_, index) => ({
  name: `target-${index}`,
  region: `eu-test-${index}`,
}));

/** Opens a queue with one replica, and counts its statements. */
async function openCounting(options: Parameters<typeof openQueue>[0] = {}) {
  const count = { statements: 0 };
  const counting = (database: Database): Database => ({
    ...database,
    queries: database.queries.withPlugin({
      transformQuery({ node }) {
        count.statements += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    }),
    transaction(act) {
      count.statements += 1; // as a whole
      return database.transaction(act);
    },
  });
  const queue = await openQueue({ backend: 'postgres', targets, replicas: 0, ...options });
  const replica = await queue.openReplica({ seeDatabase: counting });
  return { queue, replica, count };
}

const callsOf = ({ emulator }: Queue) =>
  emulator.journal.entries().filter(({ service }) => service === 'logs');

const seconds = 120;
// A renewal and a sign of life, every ten seconds.
const renewals = 2 * (seconds / 10);

describe('a gateway', () => {
  test('without work makes one statement a second, renewals, and no call to AWS', async () => {
    const { queue, count } = await openCounting();
    await using _closed = queue;
    await queue.time.runFor(60_000);
    count.statements = 0;

    await queue.time.runFor(seconds * 1_000);

    expect(count.statements).toBeLessThanOrEqual(seconds + renewals);
    expect(callsOf(queue)).toEqual([]);
  });

  test('whose slices wait for a date makes no more statements, and no call to AWS', async () => {
    const { queue, count } = await openCounting();
    await using _closed = queue;
    for (const { name } of targets) await queue.put({ target: name, readyInMs: 7_200_000 });
    await queue.time.runFor(60_000);
    count.statements = 0;

    await queue.time.runFor(seconds * 1_000);

    expect(count.statements).toBeLessThanOrEqual(seconds + renewals);
    expect(callsOf(queue)).toEqual([]);
  });

  test('whose tasks run for hours makes no more statements for them, and holds their slots', async () => {
    const { queue, count, replica } = await openCounting({
      timings: { sweepAfterSendMs: 120_000 },
      emulator: { runningMs: 7_200_000 },
    });
    await using _closed = queue;
    for (const { name, region } of targets) {
      await queue.put({ target: name, destination: `archive-${region}` });
    }
    await queue.time.runFor(180_000); // orphans are no longer looked for
    count.statements = 0;

    await queue.time.runFor(seconds * 1_000);

    expect(count.statements).toBeLessThanOrEqual(seconds + renewals);
    const slots = queue.database.queries.selectFrom('slots').select(['owner', 'fence']);
    const held = targets.map(() => ({ owner: replica.owner, fence: 1 }));
    expect(await slots.execute()).toEqual(held);
  });

  test('stops watching a foreign task when no slice waits any more', async () => {
    const { queue } = await openCounting({ timings: { sweepAfterSendMs: 120_000 } });
    await using _closed = queue;
    const [first] = targets;
    if (!first) throw new Error('There are no targets.');
    const { name, region } = first;
    queue.emulator.seed.foreignTask({ region, durationMs: 7_200_000 });
    const jobId = await queue.put({ target: name, destination: `archive-${region}` });
    await queue.time.runFor(180_000);
    const before = callsOf(queue).length;
    await queue.cancel(jobId);
    await queue.time.runFor(30_000);
    const cancelled = callsOf(queue).length;

    await queue.time.runFor(seconds * 1_000);

    expect(before).toBeGreaterThan(60);
    expect(callsOf(queue)).toHaveLength(cancelled);
  });
});
