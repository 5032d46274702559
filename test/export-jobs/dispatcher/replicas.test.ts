import { describe, expect, test } from 'vitest';

import type { CrashPoint } from '#export-jobs/dispatcher/owned-slot.ts';
import { openQueue, type Queue, type Replica } from '../open-queue.ts';

const region = 'eu-west-1';

const slotOf = ({ database }: Queue) =>
  database.queries.selectFrom('slots').selectAll().executeTakeFirstOrThrow();

/** Opens a queue with one replica that fails at a point. */
async function openWith(faults: {
  diesAt?: CrashPoint;
  freezesAt?: CrashPoint;
}): Promise<Queue & { first: Replica }> {
  const queue = await openQueue({ replicas: 0 });
  await queue.put();
  const first = await queue.openReplica(faults);
  return Object.assign(queue, { first });
}

describe('two replicas', () => {
  test.each(['sqlite', 'postgres'] as const)(
    'the second does nothing while the first works, on %s',
    async (backend) => {
      await using queue = await openQueue({ backend, replicas: 2 });
      await queue.time.runFor(1_000); // each knows of the other: a slot is handed over to one that is new
      const jobId = await queue.put({ slices: 5 });

      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(Array(5).fill('completed'));
      expect(queue.calls('CreateExportTask')).toHaveLength(5);
      expect(await slotOf(queue)).toMatchObject({ fence: 1, turns: 5 });
    },
  );

  test('the second takes over within the lease and five seconds after a kill of the first', async () => {
    await using queue = await openQueue({ replicas: 0 });
    const jobId = await queue.put({ slices: 2 });
    const first = await queue.openReplica({ diesAt: 'before-intent' });
    await queue.openReplica();
    await queue.time.runUntil(first.isDown);
    const killedAt = queue.time.now();

    await queue.runUntilDone();

    const [create] = queue.calls('CreateExportTask');
    expect((create?.at ?? 0) - killedAt).toBeLessThanOrEqual(35_000);
    expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
  });

  test('the second takes over at once when the first is closed, and watches its task', async () => {
    await using queue = await openQueue({ replicas: 2, emulator: { runningMs: 20_000 } });
    const jobId = await queue.put({ slices: 2 });
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');
    const { owner } = await slotOf(queue);

    await queue.replicas.find((replica) => replica.owner === owner)?.close();
    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(2);
    expect((await slotOf(queue)).owner).not.toBe(owner);
  });

  test('one that cannot reach AWS releases the slot to the other', async () => {
    await using queue = await openQueue({ replicas: 2, emulator: { runningMs: 3_600_000 } });
    const jobId = await queue.put();
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');
    const { owner } = await slotOf(queue);
    queue.emulator.faults.add({ kind: 'error', operation: 'DescribeExportTasks', count: 12 });

    await queue.time.runUntil(async () => {
      const now = (await slotOf(queue)).owner;
      return now !== null && now !== owner;
    });

    expect(queue.emulator.faults.pending().length).toBeLessThanOrEqual(1);
  });
});

describe('an owner that was frozen for longer than its lease', () => {
  test('before it sends does not send, so AWS gets one create', async () => {
    await using queue = await openWith({ freezesAt: 'before-send' });
    await queue.time.runUntil(queue.first.isDown);

    queue.emulator.clock.advance(25_000); // its lease is valid, but a create could outlive it
    queue.first.thaw();
    await queue.runUntilDone();

    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    const attempts = await queue.database.queries
      .selectFrom('attempts')
      .selectAll()
      .orderBy('attempt')
      .execute();
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['not-sent', 'completed']);
  });

  test('before it sends does not send if another one has taken the slot', async () => {
    await using queue = await openWith({ freezesAt: 'before-send' });
    await queue.time.runUntil(queue.first.isDown);
    await queue.openReplica();
    await queue.time.runFor(60_000);
    const meanwhile = await slotOf(queue);

    queue.first.thaw();
    await queue.runUntilDone();

    expect(meanwhile).toMatchObject({ owner: 'replica-1' });
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(queue.emulator.exportTasks()).toHaveLength(1);
    expect(
      queue.log.filter(({ text }) => text === 'lost the lease of a slot to another replica'),
    ).toHaveLength(1);
  });

  test('before it records an outcome records nothing if another one has taken the slot', async () => {
    await using queue = await openWith({ freezesAt: 'before-outcome' });
    await queue.time.runUntil(queue.first.isDown);
    await queue.openReplica();
    await queue.time.runUntil(async () => (await queue.states())[0] === 'completed');
    const { version } = await queue.database.queries
      .selectFrom('jobs')
      .select('version')
      .executeTakeFirstOrThrow();

    queue.first.thaw();
    await queue.time.runFor(60_000);

    expect(await queue.states()).toEqual(['completed']);
    expect(await queue.database.queries.selectFrom('jobs').select('version').execute()).toEqual([
      { version },
    ]);
    expect(await slotOf(queue)).toMatchObject({ owner: 'replica-1', fence: 2 });
    expect(queue.emulator.exportTasks()).toHaveLength(1);
  });

  test('continues if no other one has taken the slot', async () => {
    await using queue = await openWith({ freezesAt: 'before-outcome' });
    await queue.time.runUntil(queue.first.isDown);

    queue.emulator.clock.advance(600_000);
    queue.first.thaw();
    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['completed']);
    expect(await slotOf(queue)).toMatchObject({ fence: 1 });
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });
});

test('leaves a target alone that moved to another Region during a slice, and logs it', async () => {
  await using queue = await openQueue({ replicas: 0, emulator: { runningMs: 3_600_000 } });
  const jobId = await queue.put();
  const first = await queue.openReplica();
  await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');
  await first.close();
  const callsBefore = queue.emulator.journal.entries().length;

  await queue.openReplica({ targets: [{ name: 'default', region: 'us-west-2' }] });
  await queue.time.runFor(130_000);

  const entries = queue.emulator.journal.entries().slice(callsBefore);
  expect(entries.filter(({ service }) => service === 'logs')).toEqual([]);
  expect(await queue.states(jobId)).toEqual(['running']);
  expect(await slotOf(queue)).toMatchObject({ owner: null, region });
  const told = queue.log.filter(({ level }) => level === 'error');
  expect(told.length).toBeGreaterThanOrEqual(2);
  expect(told.length).toBeLessThanOrEqual(4);
});
