import { describe, expect, test } from 'vitest';

import { insertHourlyJob } from '../insert-hourly-job.ts';
import { openQueue } from '../open-queue.ts';

const quick = { pendingMs: 0, runningMs: 500 };

describe.each(['sqlite', 'postgres'] as const)('the dispatcher on %s', (backend) => {
  test('exports every slice of a job, one at a time, each once', async () => {
    await using queue = await openQueue({ backend });
    const jobId = await queue.put({ slices: 5 });

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(Array(5).fill('completed'));
    const tasks = queue.emulator.exportTasks();
    expect(tasks.map(({ status }) => status)).toEqual(Array(5).fill('COMPLETED'));
    expect(queue.calls('CreateExportTask').map(({ status }) => status)).toEqual(Array(5).fill(200));
    const rows = await queue.database.queries
      .selectFrom('attempts')
      .selectAll()
      .orderBy('slice')
      .execute();
    expect(rows).toMatchObject(
      tasks.map(({ taskId, taskName, createdAt, finishedAt, destinationPrefix }) => ({
        attempt: 1,
        taskId,
        marker: taskName,
        destinationPrefix,
        outcome: 'completed',
        taskCreatedAt: createdAt,
        taskCompletedAt: finishedAt,
      })),
    );
  });

  test('renders prefixes in the time zone of the job', async () => {
    await using queue = await openQueue({ backend });
    await queue.put({ timeZone: 'Asia/Kathmandu', destinationPrefix: '{dd}T{HH}/{attempt}' });

    await queue.runUntilDone();

    const [task] = queue.emulator.exportTasks(); // of 2024-04-01T00:00:00Z, 05:45 there
    expect(task).toMatchObject({ destinationPrefix: '01T05/1', status: 'COMPLETED' });
  });

  test('never sends an empty prefix, not even for a job of an older version', async () => {
    await using queue = await openQueue({ backend });
    queue.emulator.seed.logGroup({ region: 'eu-west-1', logGroupName: '/' });
    const jobId = await queue.put({ logGroupName: '/', destinationPrefix: '{logGroup}' });

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.calls('CreateExportTask').map(({ input }) => input)).toMatchObject([
      { destinationPrefix: 'exportedlogs' },
    ]);
  });
});

describe('the dispatcher', () => {
  test('sends the window of the slice without its last instant', async () => {
    await using queue = await openQueue();
    await queue.put();

    await queue.runUntilDone();

    const slice = await queue.database.queries.selectFrom('slices').selectAll().executeTakeFirst();
    const [task] = queue.emulator.exportTasks();
    expect(task?.from).toBe(BigInt(slice?.fromAt ?? 0));
    expect(task?.to).toBe(BigInt(slice?.toAt ?? 0) - 1n);
  });

  test('serves callers in turn: ten slices behind five hundred are among the next 21 tasks', async () => {
    await using queue = await openQueue({ emulator: quick });
    await queue.put({ caller: 'x', slices: 500 });
    await queue.time.runUntil(() => queue.emulator.exportTasks().length === 3);
    const few = await queue.put({ caller: 'y', slices: 10 });
    const isDone = async () => (await queue.states(few)).every((state) => state === 'completed');

    await queue.time.runUntil(isDone);

    expect(queue.emulator.exportTasks().length - 3).toBeLessThanOrEqual(21);
  });

  test('starts a slice at once when it is woken', async () => {
    await using queue = await openQueue();
    await queue.time.runFor(60_500);
    await insertHourlyJob(queue.database);
    const wokenAt = queue.time.now();

    queue.dispatchers[0]?.wake();
    await queue.time.runUntil(() => queue.calls('CreateExportTask').length > 0);

    expect(queue.time.now()).toBe(wokenAt);
  });

  test('notices a job within a second without being woken', async () => {
    await using queue = await openQueue();
    await queue.time.runFor(60_500);
    await insertHourlyJob(queue.database);
    const putAt = queue.time.now();

    await queue.time.runUntil(() => queue.calls('CreateExportTask').length > 0);

    expect(queue.time.now() - putAt).toBeLessThanOrEqual(1_000);
  });

  test('works the slots of two targets at the same time', async () => {
    await using queue = await openQueue({
      targets: [
        { name: 'default', region: 'eu-west-1' },
        { name: 'other', region: 'us-east-1' },
      ],
    });
    await queue.put({ slices: 3, destination: 'archive-eu-west-1' });
    await queue.put({ target: 'other', slices: 3, destination: 'archive-us-east-1' });

    await queue.runUntilDone();

    const tasks = Map.groupBy(queue.emulator.exportTasks(), (task) => task.region);
    const [here, there] = [tasks.get('eu-west-1') ?? [], tasks.get('us-east-1') ?? []];
    expect([here.length, there.length]).toEqual([3, 3]);
    expect(here[0]?.createdAt).toBeLessThan(there[0]?.finishedAt ?? 0);
    expect(there[0]?.createdAt).toBeLessThan(here[0]?.finishedAt ?? 0);
  });

  test('creates the next task as soon as it sees the end of the last one', async () => {
    await using queue = await openQueue();
    await queue.put({ slices: 5 });

    await queue.runUntilDone();

    const calls = queue.emulator.journal.entries();
    const creates = calls.filter(({ operation }) => operation === 'CreateExportTask').slice(1);
    for (const create of creates) {
      const before = calls[calls.indexOf(create) - 1];
      expect(before).toMatchObject({ operation: 'DescribeExportTasks', at: create.at });
    }
  });

  test('starts nothing more after close, but records what it has sent', async () => {
    await using queue = await openQueue({
      reach: async (point) => {
        if (point === 'before-send') void queue.replicas[0]?.close();
      },
    });
    const jobId = await queue.put({ slices: 2 });

    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');

    const slot = await queue.database.queries.selectFrom('slots').selectAll().executeTakeFirst();
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(await queue.states(jobId)).toEqual(['running', 'waiting']);
    expect(slot?.owner).toBe(null);
  });
});
