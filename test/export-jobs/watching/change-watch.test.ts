import { describe, expect, test } from 'vitest';

import { makeChangeWatch } from '#export-jobs/watching/change-watch.ts';

interface Sleep {
  ms: number;
  signal: AbortSignal;
  end: () => void;
}

/** A watch with a simulated clock and database. */
function openWatch() {
  const sleeps = new Set<Sleep>();
  const queries: string[][] = [];
  const versions = new Map<string, number>();
  const warnings: string[] = [];
  let failure: Error | undefined;
  const watch = makeChangeWatch({
    what: 'jobs',
    readVersions: async (jobIds) => {
      queries.push(jobIds);
      if (failure) throw failure;
      return new Map(
        jobIds.flatMap((id) => (versions.has(id) ? [[id, versions.get(id) ?? 0]] : [])),
      );
    },
    sleep: (ms, signal) =>
      new Promise<void>((resolve) => {
        const sleep = { ms, signal, end: () => resolve(void sleeps.delete(sleep)) };
        sleeps.add(sleep);
        signal.addEventListener('abort', sleep.end);
      }),
    log: { info() {}, warn: (_facts, text) => warnings.push(text), error() {} },
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const passSecond = async () => {
    for (const sleep of sleeps) if (sleep.ms === 1_000) sleep.end();
    await settle();
  };
  /** Waits, and shows whether it still does. */
  const wait = (
    jobId: string,
    version: number,
    how: { ms?: number; signal?: AbortSignal } = {},
  ) => {
    const waiting = { isOver: false };
    const { ms = 15_000, signal = new AbortController().signal } = how;
    void watch.waitForChange(jobId, version, { ms, signal }).then(() => {
      waiting.isOver = true;
    });
    return waiting;
  };
  const fail = (error: Error | undefined) => {
    failure = error;
  };
  return { watch, sleeps, queries, versions, warnings, settle, passSecond, wait, fail };
}

describe('the watch of jobs', () => {
  test('polls once per second for all waiters, and releases those whose job has changed', async () => {
    const { queries, versions, passSecond, wait } = openWatch();
    versions.set('a', 3).set('b', 7);
    const behind = Array.from({ length: 2_000 }, () => wait('a', 2));
    const level = wait('a', 3);
    const other = wait('b', 7);

    await passSecond();

    expect(queries).toEqual([['a', 'b']]);
    expect(behind.every(({ isOver }) => isOver)).toBe(true);
    expect([level.isOver, other.isOver]).toEqual([false, false]);

    versions.set('b', 8);
    await passSecond();

    expect(queries).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect([level.isOver, other.isOver]).toEqual([false, true]);
  });

  test('checks all changes of this process at once, in one query', async () => {
    const { watch, queries, versions, settle, wait } = openWatch();
    const waiting = [wait('a', 1), wait('b', 1), wait('c', 1)];
    versions.set('a', 2).set('b', 2);

    for (const jobId of ['a', 'b', 'a', 'nobody-watches']) watch.changed(jobId);
    await settle();

    expect(queries).toEqual([['a', 'b']]);
    expect(waiting.map(({ isOver }) => isOver)).toEqual([true, true, false]);
  });

  test('checks again if a job changes during the query', async () => {
    const { watch, queries, versions, settle, wait } = openWatch();
    versions.set('a', 1);
    const waiting = wait('a', 1);

    watch.changed('a');
    await undefined; // the query is running
    versions.set('a', 2);
    watch.changed('a');
    await settle();

    expect(queries).toHaveLength(2);
    expect(waiting.isOver).toBe(true);
  });

  test('keeps waiting after a failed query, and logs it once', async () => {
    const { warnings, versions, passSecond, wait, fail } = openWatch();
    const waiting = wait('a', 1);
    fail(new Error('no database'));

    await passSecond();
    await passSecond();

    expect(waiting.isOver).toBe(false);
    expect(warnings).toHaveLength(1);

    versions.set('a', 2);
    fail(undefined);
    await passSecond();

    expect(waiting.isOver).toBe(true);
  });

  test('releases waiters of a job that no longer exists', async () => {
    const { passSecond, wait } = openWatch();
    const waiting = wait('gone', 1);

    await passSecond();

    expect(waiting.isOver).toBe(true);
  });

  test.for(['its time is over', 'its signal'])(
    'leaves nothing behind when a wait ends by %s',
    async (ending) => {
      const { sleeps, queries, settle, passSecond, wait } = openWatch();
      const stop = new AbortController();
      const waiting = wait('a', 1, { ms: 15_000, signal: stop.signal });

      if (ending === 'its signal') stop.abort();
      else for (const sleep of sleeps) if (sleep.ms === 15_000) sleep.end();
      await settle();
      await passSecond();

      expect(waiting.isOver).toBe(true);
      expect(sleeps.size).toBe(0);
      expect(queries).toEqual([]);
    },
  );

  test('does not wait if the signal is already aborted', async () => {
    const { sleeps, settle, wait } = openWatch();

    const gone = wait('a', 1, { signal: AbortSignal.abort() });
    await settle();

    expect(gone.isOver).toBe(true);
    expect(sleeps.size).toBe(0);
  });

  test('queries nothing without waiters, and again with a new one', async () => {
    const { watch, queries, versions, settle, passSecond, wait } = openWatch();
    const first = new AbortController();
    wait('a', 1, { signal: first.signal });
    first.abort();
    await settle();
    watch.changed('a');
    await passSecond();
    expect(queries).toEqual([]);

    versions.set('a', 2);
    const second = wait('a', 1);
    await passSecond();

    expect(second.isOver).toBe(true);
    expect(queries).toEqual([['a']]);
  });
});
