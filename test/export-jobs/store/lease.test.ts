import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import {
  holdLease,
  type Lease,
  type LeaseRequest,
  releaseLease,
  takeLease,
} from '#export-jobs/store/steps/hold-lease.ts';
import { recordForeignTask } from '#export-jobs/store/steps/record-foreign-task.ts';
import { openQueue } from '../open-queue.ts';
import { beginAndHold, untilLockIsWaitedFor } from './concurrent-transactions.ts';

const leaseMs = 30_000;

const take = (database: Database, owner: string, place: Partial<LeaseRequest> = {}) =>
  takeLease(database, {
    target: 'default',
    accountId: '1',
    region: 'r',
    owner,
    leaseMs,
    ...place,
  });

async function mustTake(database: Database, owner: string): Promise<Lease> {
  const { lease } = await take(database, owner);
  if (!lease) throw new Error('The slot is taken.');
  return lease;
}

const hold = (database: Database, lease: Lease) =>
  database.transaction((queries) => holdLease(queries, database, lease, leaseMs));

describe.each(['sqlite', 'postgres'] as const)('the lease of a slot, on %s', (backend) => {
  test('has one owner until it expires, and each owner has a higher number', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    const first = await mustTake(database, 'a');

    queue.emulator.clock.advance(leaseMs - 1);
    const early = await take(database, 'b');
    queue.emulator.clock.advance(1);
    const late = await take(database, 'b');

    expect(first.fence).toBe(1);
    expect(early).toEqual({ isMoved: false, freeInMs: 1 });
    expect(late.lease).toEqual({ target: 'default', owner: 'b', fence: 2 });
  });

  test('goes to exactly one of many concurrent takers', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const owners = Array.from({ length: 8 }, (_, index) => `replica-${index}`);

    const answers = await Promise.all(owners.map((owner) => take(queue.database, owner)));

    expect(answers.filter(({ lease }) => lease)).toHaveLength(1);
  });

  test('is renewed by each transaction that holds it', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    const lease = await mustTake(database, 'a');

    queue.emulator.clock.advance(20_000);
    await hold(database, lease);
    queue.emulator.clock.advance(20_000);

    expect(await take(database, 'b')).toEqual({ isMoved: false, freeInMs: 10_000 });
  });

  test('stays valid after its end until another owner takes it', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    const lease = await mustTake(database, 'a');

    queue.emulator.clock.advance(leaseMs * 10);
    await hold(database, lease);

    expect((await take(database, 'b')).lease).toBeUndefined();
  });

  test('is lost when another owner takes it, and the stale owner writes nothing', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    const stale = await mustTake(database, 'a');
    queue.emulator.clock.advance(leaseMs);
    await mustTake(database, 'b');

    const writing = await hold(database, stale).catch((error) => error);
    await recordForeignTask(database, stale, { taskId: 't', logGroupName: 'g', since: 1 });
    await releaseLease(database, stale);

    expect(writing).toMatchObject({ name: 'LeaseLost' });
    const slot = await database.queries.selectFrom('slots').selectAll().executeTakeFirst();
    expect(slot).toMatchObject({ owner: 'b', fence: 2, foreignTaskId: null });
    expect(slot?.leasedUntil).toBe(queue.time.now() + leaseMs);
  });

  test('is lost for the same owner with an older number', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    const older = await mustTake(database, 'a');
    await releaseLease(database, older);
    await mustTake(database, 'a');

    await expect(hold(database, older)).rejects.toMatchObject({ name: 'LeaseLost' });
  });

  test('can be taken at once after a release', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    await releaseLease(database, await mustTake(database, 'a'));

    expect((await take(database, 'b')).lease).toMatchObject({ owner: 'b', fence: 2 });
  });

  test('can be taken again at once by its owner, after a lost answer', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    await mustTake(database, 'a');

    expect((await take(database, 'a')).lease).toMatchObject({ owner: 'a', fence: 2 });
  });

  test('is not given for another account or Region during a slice, but afterwards', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    await releaseLease(database, await mustTake(database, 'a'));
    await queue.put();
    await database.queries.updateTable('slices').set({ state: 'running' }).execute();

    const otherAccount = await take(database, 'b', { accountId: '2' });
    const otherRegion = await take(database, 'b', { region: 's' });
    await database.queries.updateTable('slices').set({ state: 'completed' }).execute();
    const after = await take(database, 'b', { accountId: '2', region: 's' });

    expect(otherAccount).toEqual({ isMoved: true, freeInMs: 0 });
    expect(otherRegion).toEqual({ isMoved: true, freeInMs: 0 });
    expect(after.lease).toMatchObject({ owner: 'b', fence: 2 });
  });

  test('clears the foreign task of the last owner when it is taken', async () => {
    await using queue = await openQueue({ backend, replicas: 0 });
    const { database } = queue;
    const lease = await mustTake(database, 'a');
    await recordForeignTask(database, lease, { taskId: 't', logGroupName: 'g', since: 1 });
    await releaseLease(database, lease);

    await mustTake(database, 'b');

    const slot = await database.queries.selectFrom('slots').selectAll().executeTakeFirst();
    expect(slot).toMatchObject({
      foreignTaskId: null,
      foreignLogGroupName: null,
      foreignSince: null,
    });
  });
});

describe('the lease of a slot with concurrent transactions, on postgres', () => {
  test('keeps takers waiting during a transaction, and after the commit they do not get it', async () => {
    await using queue = await openQueue({ backend: 'postgres', replicas: 0 });
    const { database } = queue;
    const lease = await mustTake(database, 'a');
    queue.emulator.clock.advance(leaseMs);
    const writing = await beginAndHold(database, (queries) =>
      holdLease(queries, database, lease, leaseMs),
    );

    const taking = take(database, 'b');
    await untilLockIsWaitedFor(database);
    await writing.commit();

    expect((await taking).lease).toBeUndefined();
    await hold(database, lease);
  });

  test('rejects a stale owner that writes while another one takes it', async () => {
    await using queue = await openQueue({ backend: 'postgres', replicas: 0 });
    const { database } = queue;
    const lease = await mustTake(database, 'a');
    const taking = await beginAndHold(database, (queries) =>
      queries.updateTable('slots').set({ owner: 'b', fence: 2 }).execute(),
    );

    const writing = hold(database, lease).catch((error) => error);
    await untilLockIsWaitedFor(database);
    await taking.commit();

    expect(await writing).toMatchObject({ name: 'LeaseLost' });
  });
});
