import { describe, expect, test } from 'vitest';

import { openQueue, type Queue } from '../open-queue.ts';

// TARGETS_FILE changes while the gateway runs.

const kept = { name: 'default', region: 'eu-west-1' };
const removed = { name: 'other', region: 'us-east-1' };
const atRemoved = { target: 'other', destination: 'archive-us-east-1' };

const open = () => openQueue({ targets: [kept, removed], emulator: { runningMs: 20_000 } });
const isDraining = ({ targets }: Queue) => targets.forDispatcher('other') !== undefined;

describe('a target that is removed', () => {
  test('completes its running slice, and starts no other one', async () => {
    await using queue = await open();
    const jobId = await queue.put({ ...atRemoved, slices: 2 });
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');

    queue.targets.configure([kept]);
    await queue.time.runFor(10_000);
    const meanwhile = isDraining(queue);
    await queue.time.runFor(50_000);

    expect(meanwhile).toBe(true);
    expect(isDraining(queue)).toBe(false);
    expect(await queue.states(jobId)).toEqual(['completed', 'waiting']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(queue.log.filter(({ level }) => level !== 'info')).toEqual([]);
    const slot = queue.database.queries.selectFrom('slots').select('owner');
    expect(await slot.execute()).toEqual([{ owner: null }]);
  });

  test('is released at once if nothing of it runs, and its slices wait', async () => {
    await using queue = await open();
    await queue.time.runFor(5_000);

    queue.targets.configure([kept]);
    await queue.put(atRemoved);
    await queue.time.runFor(600_000);

    expect(isDraining(queue)).toBe(false);
    expect(await queue.states()).toEqual(['waiting']);
    expect(queue.calls('CreateExportTask')).toEqual([]);
  });

  test('continues with its slices when it is added again', async () => {
    await using queue = await open();
    const jobId = await queue.put({ ...atRemoved, slices: 2 });
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');
    queue.targets.configure([kept]);
    await queue.time.runFor(60_000);

    queue.targets.configure([kept, removed]);
    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
    expect(queue.emulator.exportTasks()).toHaveLength(2);
  });
});

test('a target that is added starts its waiting slices as soon as it is checked', async () => {
  await using queue = await openQueue({ targets: [kept] });
  queue.emulator.seed.logGroup({ region: 'us-east-1', logGroupName: '/app' });
  queue.emulator.seed.bucket({ region: 'us-east-1', bucket: 'archive-us-east-1' });
  await queue.put(atRemoved);
  await queue.time.runFor(5_000);
  const callsBefore = queue.emulator.journal.entries().filter(({ service }) => service === 'logs');

  queue.targets.configure([kept, removed]);
  await queue.runUntilDone();

  expect(callsBefore).toEqual([]);
  expect(await queue.states()).toEqual(['completed']);
});

describe('a target that moved while no process ran', () => {
  const moved = { ...removed, region: 'eu-central-1' };

  test('sees its slice through after it is moved back', async () => {
    await using queue = await openQueue({
      targets: [kept, removed],
      emulator: { runningMs: 600_000 },
    });
    const jobId = await queue.put(atRemoved);
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');
    await queue.replicas[0]?.close();
    queue.targets.configure([kept, moved]);
    queue.targets.release('other');
    await queue.openReplica();
    await queue.time.runFor(70_000);

    queue.targets.configure([kept, removed]);
    const pollsBefore = queue.calls('DescribeExportTasks').length;
    await queue.time.runFor(20_000);
    const pollsAfter = queue.calls('DescribeExportTasks').length;
    await queue.runUntilDone();

    expect(pollsAfter).toBeGreaterThan(pollsBefore);
    const lines = queue.log.filter(({ text }) => `${text}`.startsWith('left a slot alone'));
    expect(lines[0]).toMatchObject({ level: 'error', target: 'other', since: expect.any(String) });
    const end = queue.log.find(({ text }) => text === 'the slot is at its target again');
    expect(end).toMatchObject({ target: 'other', lastedMs: expect.any(Number) });
    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });
});

describe('a target that moved while it was unusable', () => {
  const held = { ...removed, accountId: '123456789012' };
  const moved = { ...held, region: 'eu-central-1' };
  const unchecked = { ...held, roleArn: 'arn:aws:iam::123456789012:role/missing' };

  test('does not look for a lost create at the new place', async () => {
    await using queue = await openQueue({ targets: [kept, held], replicas: 0 });
    const lost = { operation: 'CreateExportTask', kind: 'late-effect', delayMs: 60_000 } as const;
    queue.emulator.faults.add(lost);
    const jobId = await queue.put(atRemoved);
    const replica = await queue.openReplica({ freezesAt: 'before-outcome' });
    await queue.time.runUntil(replica.isDown);
    queue.targets.configure([kept, unchecked]);
    queue.targets.configure([kept, moved]);
    const regionNow = () => queue.targets.forDispatcher('other')?.region;
    while (regionNow() !== moved.region) await new Promise(setImmediate);

    replica.thaw();
    await queue.time.runFor(300_000);
    const meanwhile = await queue.states(jobId);
    queue.targets.configure([kept, held]);
    await queue.runUntilDone();

    expect(meanwhile).toEqual(['starting']);
    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(queue.log).toContainEqual(
      expect.objectContaining({ text: expect.stringContaining('left a slot alone') }),
    );
  });
});

test('a slice whose target was removed while no process ran is logged once', async () => {
  await using queue = await openQueue({
    targets: [kept, removed],
    emulator: { runningMs: 600_000 },
  });
  const jobId = await queue.put(atRemoved);
  await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');
  await queue.replicas[0]?.close();

  await queue.openReplica({ targets: [kept] });
  await queue.time.runFor(60_000);

  const text = 'left slots alone: their targets are not configured';
  const warnings = queue.log.filter(({ level }) => level === 'warn');
  expect(warnings).toEqual([{ level: 'warn', slots: 1, targets: ['other'], text }]);
});
