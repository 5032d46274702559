import { describe, expect, test } from 'vitest';

import type { CrashPoint } from '#export-jobs/dispatcher/slot.ts';
import { type Line, openLine, type Replica } from '../queue-of-jobs.ts';

const region = 'eu-west-1';

const slotOf = ({ database }: Line) =>
  database.queries.selectFrom('slots').selectAll().executeTakeFirstOrThrow();

/** A line with one replica that goes down where it is told to. */
async function openWith(faults: {
  diesAt?: CrashPoint;
  freezesAt?: CrashPoint;
}): Promise<Line & { first: Replica }> {
  const line = await openLine({ replicas: 0 });
  await line.put();
  const first = await line.openReplica(faults);
  return Object.assign(line, { first });
}

describe('of two replicas', () => {
  test.each(['sqlite', 'postgres'] as const)(
    'the second does nothing while the first works, on %s',
    async (home) => {
      await using line = await openLine({ home, replicas: 2 });
      const jobId = await line.put({ slices: 5 });

      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(Array(5).fill('completed'));
      expect(line.calls('CreateExportTask')).toHaveLength(5);
      expect(await slotOf(line)).toMatchObject({ fence: 1, turns: 5 });
    },
  );

  test('the second goes on within the lease and five seconds after the first was killed', async () => {
    await using line = await openLine({ replicas: 0 });
    const jobId = await line.put({ slices: 2 });
    const first = await line.openReplica({ diesAt: 'before-intent' });
    await line.openReplica();
    await line.time.runUntil(first.isDown);
    const killedAt = line.time.now();

    await line.runUntilDone();

    const [create] = line.calls('CreateExportTask');
    expect((create?.at ?? 0) - killedAt).toBeLessThanOrEqual(35_000);
    expect(await line.states(jobId)).toEqual(['completed', 'completed']);
  });

  test('the second goes on at once, and watches what runs, when the first is closed', async () => {
    await using line = await openLine({ replicas: 2, emulator: { runningMs: 20_000 } });
    const jobId = await line.put({ slices: 2 });
    await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');
    const { owner } = await slotOf(line);

    await line.replicas.find((replica) => replica.owner === owner)?.close();
    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(['completed', 'completed']);
    expect(line.calls('CreateExportTask')).toHaveLength(2);
    expect((await slotOf(line)).owner).not.toBe(owner);
  });

  test('one that cannot reach AWS gives the slot to the other', async () => {
    await using line = await openLine({ replicas: 2, emulator: { runningMs: 3_600_000 } });
    const jobId = await line.put();
    await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');
    const { owner } = await slotOf(line);
    line.emulator.faults.add({ kind: 'error', operation: 'DescribeExportTasks', count: 12 });

    await line.time.runUntil(async () => {
      const now = (await slotOf(line)).owner;
      return now !== null && now !== owner;
    });

    expect(line.emulator.faults.pending().length).toBeLessThanOrEqual(1);
  });
});

describe('an owner that stood still for longer than its lease', () => {
  test('before it sends does not send: AWS sees one create', async () => {
    await using line = await openWith({ freezesAt: 'before-send' });
    await line.time.runUntil(line.first.isDown);

    line.emulator.clock.advance(25_000); // its lease still holds, but a create might outlive it
    line.first.thaw();
    await line.runUntilDone();

    expect(line.calls('CreateExportTask')).toHaveLength(1);
    const attempts = await line.database.queries
      .selectFrom('attempts')
      .selectAll()
      .orderBy('attempt')
      .execute();
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['not-sent', 'completed']);
  });

  test('before it sends, while another took the slot, does not send', async () => {
    await using line = await openWith({ freezesAt: 'before-send' });
    await line.time.runUntil(line.first.isDown);
    await line.openReplica();
    await line.time.runFor(60_000);
    const meanwhile = await slotOf(line);

    line.first.thaw();
    await line.runUntilDone();

    expect(meanwhile).toMatchObject({ owner: 'replica-1' });
    expect(line.calls('CreateExportTask')).toHaveLength(1);
    expect(line.emulator.exportTasks()).toHaveLength(1);
    expect(
      line.log.filter(({ text }) => text === 'another replica has taken the slot'),
    ).toHaveLength(1);
  });

  test('before it writes down what came of a create writes nothing when another has taken the slot, and stops', async () => {
    await using line = await openWith({ freezesAt: 'before-outcome' });
    await line.time.runUntil(line.first.isDown);
    await line.openReplica();
    await line.time.runUntil(async () => (await line.states())[0] === 'completed');
    const { version } = await line.database.queries
      .selectFrom('jobs')
      .select('version')
      .executeTakeFirstOrThrow();

    line.first.thaw();
    await line.time.runFor(60_000);

    expect(await line.states()).toEqual(['completed']);
    expect(await line.database.queries.selectFrom('jobs').select('version').execute()).toEqual([
      { version },
    ]);
    expect(await slotOf(line)).toMatchObject({ owner: 'replica-1', fence: 2 });
    expect(line.emulator.exportTasks()).toHaveLength(1);
  });

  test('when nobody has taken the slot, goes on as if nothing had been', async () => {
    await using line = await openWith({ freezesAt: 'before-outcome' });
    await line.time.runUntil(line.first.isDown);

    line.emulator.clock.advance(600_000);
    line.first.thaw();
    await line.runUntilDone();

    expect(await line.states()).toEqual(['completed']);
    expect(await slotOf(line)).toMatchObject({ fence: 1 });
    expect(line.calls('CreateExportTask')).toHaveLength(1);
  });
});

test('a target whose name means another Region is left alone while a slice is under way, and is told of', async () => {
  await using line = await openLine({ replicas: 0, emulator: { runningMs: 3_600_000 } });
  const jobId = await line.put();
  const first = await line.openReplica();
  await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');
  await first.close();
  const callsBefore = line.emulator.journal.entries().length;

  await line.openReplica({ targets: [{ name: 'default', region: 'us-west-2' }] });
  await line.time.runFor(130_000);

  const entries = line.emulator.journal.entries().slice(callsBefore);
  expect(entries.filter(({ service }) => service === 'logs')).toEqual([]);
  expect(await line.states(jobId)).toEqual(['running']);
  expect(await slotOf(line)).toMatchObject({ owner: null, region });
  const told = line.log.filter(({ level }) => level === 'error');
  expect(told.length).toBeGreaterThanOrEqual(2);
  expect(told.length).toBeLessThanOrEqual(4);
});
