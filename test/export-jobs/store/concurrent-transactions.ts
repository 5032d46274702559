import { sql } from 'kysely';

import type { Database } from '#database/database.ts';

/** Resolves when a statement waits for a lock in a PostgreSQL database of this test alone. */
export async function untilLockIsWaitedFor({ queries }: Database): Promise<void> {
  const waiting = sql<{ pid: number }>`
    select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await waiting.execute(queries)).rows.length === 0) await new Promise(setImmediate);
}

/** Begins a transaction that holds its locks until `commit` is called. */
export async function beginAndHold(
  database: Database,
  act: Parameters<Database['transaction']>[0],
): Promise<{ commit: () => Promise<void> }> {
  const hasActed = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const done = database.transaction(async (queries) => {
    await act(queries);
    hasActed.resolve();
    await mayCommit.promise;
  });
  done.catch(hasActed.reject);
  await hasActed.promise;
  return {
    async commit() {
      mayCommit.resolve();
      await done;
    },
  };
}
