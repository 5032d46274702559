import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ClaimOptions, claimNextSlice } from '#export-jobs/store/steps/claim-next-slice.ts';
import type { Lease } from '#export-jobs/store/steps/hold-lease.ts';
import { guardSlot, takeLease } from '#export-jobs/store/steps/hold-lease.ts';
import { recordStep } from '#export-jobs/store/steps/record-step.ts';
import { openQueue, type Queue } from '../open-queue.ts';
import { beginAndHold, untilLockIsWaitedFor } from '../store/concurrent-transactions.ts';

const leaseMs = 30_000;
const making: ClaimOptions = {
  leaseMs,
  makeMarker: () => randomBytes(8).toString('hex'),
  renderPrefix: (template) => template,
  reachInside: async () => {},
};

async function lease({ database }: Queue): Promise<Lease> {
  const request = { target: 'default', accountId: '1', region: 'r', owner: 'test', leaseMs };
  const answer = await takeLease(database, request);
  if (!answer.lease) throw new Error('The slot is taken.');
  return answer.lease;
}

/** Starts slices one after the other and completes each at once. Returns the ids of their jobs. */
async function startInTurn({ database }: Queue, held: Lease, count: number): Promise<string[]> {
  const started: string[] = [];
  while (started.length < count) {
    const intent = await claimNextSlice(database, held, making);
    if (!intent) break;
    started.push(intent.jobId);
    await database.queries
      .updateTable('slices')
      .set({ state: 'completed' })
      .where('jobId', '=', intent.jobId)
      .where('number', '=', intent.slice)
      .execute();
  }
  return started;
}

describe.each(['sqlite', 'postgres'] as const)('the next slice, on %s', (backend) => {
  test('is the oldest of a caller, and in order within a job', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const older = await queue.put({ slices: 2 });
    queue.emulator.clock.advance(1);
    const younger = await queue.put({ slices: 1 });
    const held = await lease(queue);

    const first = await claimNextSlice(queue.database, held, making);

    expect(first).toMatchObject({ jobId: older, slice: 0, attempt: 1 });
    await queue.database.queries
      .updateTable('slices')
      .set({ state: 'completed' })
      .where('state', '=', 'starting')
      .execute();
    expect(await startInTurn(queue, held, 3)).toEqual([older, younger]);
  });

  test('is of the highest priority, for any caller', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const low = await queue.put({ caller: 'a', priority: -1 });
    const middle = await queue.put({ caller: 'b' });
    const high = await queue.put({ caller: 'c', priority: 5, slices: 2 });

    const started = await startInTurn(queue, await lease(queue), 10);

    expect(started).toEqual([high, high, middle, low]);
  });

  test('ignores the priority at every tenth start', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const high = await queue.put({ caller: 'a', priority: 10, slices: 40 });
    const low = await queue.put({ caller: 'b', priority: -10, slices: 2 });
    const middle = await queue.put({ caller: 'c', slices: 2 });

    const started = await startInTurn(queue, await lease(queue), 40);

    const at = (jobId: string) =>
      started.flatMap((each, index) => (each === jobId ? index + 1 : []));
    expect(at(middle)).toEqual([10, 30]);
    expect(at(low)).toEqual([20, 40]);
    expect(at(high)).toHaveLength(36);
  });

  test('is never one that is not ready', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const later = await queue.put({ priority: 5, readyInMs: 60_000 });
    const laterOfSame = await queue.put({ readyInMs: 60_000 });
    const now = await queue.put();
    const held = await lease(queue);

    const before = await startInTurn(queue, held, 10);
    queue.emulator.clock.advance(60_000);
    const after = await startInTurn(queue, held, 10);

    expect(before).toEqual([now]);
    expect(after).toEqual([later, laterOfSame]);
  });

  test('is among 20 starts for all ten slices of a caller, with any number waiting of another', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    await queue.put({ caller: 'x', slices: 10_000 });
    const held = await lease(queue);
    await startInTurn(queue, held, 3);
    const few = await queue.put({ caller: 'y', slices: 10 });

    const started = await startInTurn(queue, held, 21);

    expect(started.filter((jobId) => jobId === few)).toHaveLength(10);
    expect(started.lastIndexOf(few)).toBeLessThan(20);
  });

  test('is of each of three callers in turn', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const jobs: string[] = [];
    for (const caller of ['a', 'b', 'c']) jobs.push(await queue.put({ caller, slices: 3 }));

    const started = await startInTurn(queue, await lease(queue), 9);

    expect(started).toEqual([...jobs, ...jobs, ...jobs]);
  });

  test('is recorded as an attempt with a marker and as an event', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const jobId = await queue.put();
    const held = await lease(queue);

    const intent = await claimNextSlice(queue.database, held, making);

    const { queries } = queue.database;
    expect(await queries.selectFrom('attempts').selectAll().execute()).toEqual([
      expect.objectContaining({
        jobId,
        slice: 0,
        attempt: 1,
        marker: intent?.marker,
        fence: held.fence,
        submittedAt: queue.time.now(),
        taskId: null,
        outcome: null,
      }),
    ]);
    const { version } = await queries
      .selectFrom('jobs')
      .select('version')
      .executeTakeFirstOrThrow();
    const events = await queries.selectFrom('events').selectAll().orderBy('version').execute();
    expect(version).toBe(2);
    expect(events.map(({ type }) => type)).toEqual(['job-accepted', 'slice-starting']);
  });

  test('is refused by the database while another slice holds the slot', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    await queue.put({ slices: 2 });
    const held = await lease(queue);
    await claimNextSlice(queue.database, held, making);

    const second = claimNextSlice(queue.database, held, making);

    await expect(second).rejects.toThrow(/unique/i);
    expect(await queue.states()).toEqual(['starting', 'waiting']);
  });

  test('gets no step that was read in another state', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const jobId = await queue.put();
    const held = await lease(queue);
    const intent = await claimNextSlice(queue.database, held, making);
    if (!intent) throw new Error('Nothing was started.');
    const active = { ...intent, state: 'starting' } as const;
    const change = { type: 'slice-running', slice: 0, attempt: 1, taskId: 't-1' } as const;
    const by = { action: 'CreateExportTask' } as const;
    const step = { to: 'running', attempt: { taskId: 't-1' }, change, by } as const;
    const guard = guardSlot(queue.database, held, leaseMs);
    await recordStep(queue.database, guard, active, step);

    const again = recordStep(queue.database, guard, active, {
      ...step,
      attempt: { taskId: 't-2' },
    });

    await expect(again).rejects.toMatchObject({ name: 'StaleState' });
    const { queries } = queue.database;
    expect(await queries.selectFrom('attempts').select('taskId').execute()).toEqual([
      { taskId: 't-1' },
    ]);
    const job = await queries.selectFrom('jobs').select('version').where('id', '=', jobId);
    expect(await job.executeTakeFirst()).toEqual({ version: 3 });
  });
});

describe('the next slice with concurrent transactions, on postgres', () => {
  test('is not started if it is cancelled between the pick and the lock of its job', async () => {
    await using queue = await openQueue({ backend: 'postgres', replicas: 0 });
    const jobId = await queue.put();
    const held = await lease(queue);
    const { queries } = queue.database;
    const cancel = await beginAndHold(queue.database, async (inside) => {
      await inside
        .updateTable('jobs')
        .set({ cancelRequestedAt: 1 })
        .where('id', '=', jobId)
        .execute();
      await inside.updateTable('slices').set({ state: 'cancelled' }).execute();
    });

    const starting = claimNextSlice(queue.database, held, making).catch((error) => error);
    await untilLockIsWaitedFor(queue.database);
    await cancel.commit();

    expect(await starting).toMatchObject({ name: 'StaleState' });
    expect(await queries.selectFrom('slices').select(['state', 'attempt']).execute()).toEqual([
      { state: 'cancelled', attempt: 0 },
    ]);
    expect(await queries.selectFrom('attempts').selectAll().execute()).toEqual([]);
  });
});
