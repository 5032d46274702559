import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { openQueue } from '../open-queue.ts';

const unavailable = () => new Problem('database-unavailable', 'The database does not answer.');

/** A database whose transactions fail as `fails` says: before them, or after their commit. */
function seeTrouble(database: Database, fails: () => 'before' | 'after' | undefined): Database {
  return {
    ...database,
    async transaction(act) {
      const when = fails();
      if (when === 'before') throw unavailable();
      const result = await database.transaction(act);
      if (when === 'after') throw unavailable();
      return result;
    },
  };
}

describe('a failing database', () => {
  test.each(['before', 'after'] as const)(
    '%s the commit of every third transaction exports each slice once',
    async (when) => {
      let count = 0;
      await using queue = await openQueue({ replicas: 0 });
      const jobId = await queue.put({ slices: 4 });
      await queue.openReplica({
        seeDatabase: (database) =>
          seeTrouble(database, () => (++count % 3 === 0 ? when : undefined)),
      });

      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(Array(4).fill('completed'));
      expect(queue.emulator.exportTasks()).toHaveLength(4);
      expect(queue.log.some(({ problem }) => problem === 'database-unavailable')).toBe(true);
    },
  );

  test('for five minutes during a task delays the record of its end, under the same lease', async () => {
    let isAway = false;
    await using queue = await openQueue({ replicas: 0, emulator: { runningMs: 60_000 } });
    const jobId = await queue.put({ slices: 2 });
    await queue.openReplica({
      seeDatabase: (database) => seeTrouble(database, () => (isAway ? 'before' : undefined)),
    });
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');

    isAway = true;
    await queue.time.runFor(300_000);
    const meanwhile = await queue.states(jobId);
    isAway = false;
    await queue.runUntilDone();

    expect(meanwhile).toEqual(['running', 'waiting']);
    expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
    expect(queue.emulator.exportTasks()).toHaveLength(2);
    const slot = queue.database.queries.selectFrom('slots').select('fence');
    expect(await slot.execute()).toEqual([{ fence: 1 }]);
  });

  test('that loses the answer to a lease does not block the slot until the lease expires', async () => {
    let count = 0;
    await using queue = await openQueue({ replicas: 0 });
    await queue.put();
    await queue.openReplica({
      seeDatabase: (database) => seeTrouble(database, () => (++count === 1 ? 'after' : undefined)),
    });
    const openedAt = queue.time.now();

    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === 1);

    expect(queue.time.now() - openedAt).toBeLessThanOrEqual(5_000);
  });

  test('prevents a create whose intent is not on disk', async () => {
    await using queue = await openQueue({ replicas: 0 });
    await queue.put();
    await queue.openReplica({
      seeDatabase: (database) => {
        let hasLease = false;
        return seeTrouble(database, () => {
          if (hasLease) return 'before';
          hasLease = true;
          return undefined;
        });
      },
    });

    await queue.time.runFor(300_000);

    expect(queue.calls('CreateExportTask')).toEqual([]);
    expect(await queue.states()).toEqual(['waiting']);
  });
});
