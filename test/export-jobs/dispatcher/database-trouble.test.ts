import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { openLine } from '../queue-of-jobs.ts';

const unavailable = () => new Problem('database-unavailable', 'The database does not answer.');

/** A database of which every transaction that `fails` says fails: before it, or after its commit. */
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

describe('a database that fails', () => {
  test.each(['before', 'after'] as const)(
    '%s the commit of every third transaction: each slice is exported once',
    async (when) => {
      let count = 0;
      await using line = await openLine({ replicas: 0 });
      const jobId = await line.put({ slices: 4 });
      await line.openReplica({
        seeDatabase: (database) =>
          seeTrouble(database, () => (++count % 3 === 0 ? when : undefined)),
      });

      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(Array(4).fill('completed'));
      expect(line.emulator.exportTasks()).toHaveLength(4);
      expect(line.log.some(({ problem }) => problem === 'database-unavailable')).toBe(true);
    },
  );

  test('for five minutes while a task runs: its end is written down afterwards, under the same lease', async () => {
    let isAway = false;
    await using line = await openLine({ replicas: 0, emulator: { runningMs: 60_000 } });
    const jobId = await line.put({ slices: 2 });
    await line.openReplica({
      seeDatabase: (database) => seeTrouble(database, () => (isAway ? 'before' : undefined)),
    });
    await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');

    isAway = true;
    await line.time.runFor(300_000);
    const meanwhile = await line.states(jobId);
    isAway = false;
    await line.runUntilDone();

    expect(meanwhile).toEqual(['running', 'waiting']);
    expect(await line.states(jobId)).toEqual(['completed', 'completed']);
    expect(line.emulator.exportTasks()).toHaveLength(2);
    const slot = line.database.queries.selectFrom('slots').select('fence');
    expect(await slot.execute()).toEqual([{ fence: 1 }]);
  });

  test('when the answer to the lease is lost: the slot does not stand still until it has run out', async () => {
    let count = 0;
    await using line = await openLine({ replicas: 0 });
    await line.put();
    await line.openReplica({
      seeDatabase: (database) => seeTrouble(database, () => (++count === 1 ? 'after' : undefined)),
    });
    const openedAt = line.time.now();

    await line.time.runUntil(() => line.calls('CreateExportTask').length === 1);

    expect(line.time.now() - openedAt).toBeLessThanOrEqual(5_000);
  });

  test('nothing is sent whose intent is not on disk', async () => {
    await using line = await openLine({ replicas: 0 });
    await line.put();
    await line.openReplica({
      seeDatabase: (database) => {
        let hasLease = false;
        return seeTrouble(database, () => {
          if (hasLease) return 'before';
          hasLease = true;
          return undefined;
        });
      },
    });

    await line.time.runFor(300_000);

    expect(line.calls('CreateExportTask')).toEqual([]);
    expect(await line.states()).toEqual(['waiting']);
  });
});
