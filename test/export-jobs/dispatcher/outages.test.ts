import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { databaseUnavailable } from '#database/unavailable-problem.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';

// The lines that an operator reads at night: what happened, at which target, since when, and which problem.

const region = 'eu-west-1';
const minuteMs = 60_000;
// Work is looked for less often than in production, so that the tests take fewer steps.
const timings = { idleMs: 30_000, secondMs: 10_000, leaseMs: 300_000 };
const iso = (at: number) => new Date(at).toISOString();

const linesOf = ({ log }: Queue, ...texts: string[]) =>
  log.filter(({ text }) => texts.includes(String(text)));

/** A database that does not answer while `isAway` says so. */
function seeAway(database: Database, isAway: () => boolean): Database {
  const refuse = () => {
    if (isAway()) throw databaseUnavailable('The database does not answer.', new Error('refused'));
  };
  return {
    ...database,
    get queries() {
      refuse();
      return database.queries;
    },
    async transaction(act) {
      refuse();
      return database.transaction(act);
    },
  };
}

describe('the log', () => {
  test('names the target, the problem and the begin while AWS is away, and its end', async () => {
    await using queue = await openQueue({
      timings,
      random: () => 0,
      emulator: { runningMs: 120_000 },
    });
    const fault = { kind: 'error', code: 'ServiceUnavailableException', status: 503 } as const;
    const headers = { date: 'unknown' };
    await queue.put({ slices: 2 });
    await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
    const operation = 'DescribeExportTasks';
    queue.emulator.faults.add({ operation, ...fault, headers, count: 100_000 });
    const awayAt = queue.time.now();

    await queue.time.runFor(17 * minuteMs);
    queue.emulator.faults.clear();
    await queue.time.runFor(5 * minuteMs);

    const lines = linesOf(queue, 'target worker failed, retrying', 'target worker works again');
    const levels = lines.map(({ level }) => level).join(' ');
    expect(levels).toBe('warn warn warn warn error info');
    const since = String(lines[0]?.since);
    expect(Date.parse(since) - awayAt).toBeLessThan(minuteMs);
    expect(lines[4]).toMatchObject({ target: 'default', problem: 'aws-unavailable', since });
    expect(lines[4]?.repeated).toBeGreaterThan(5);
    expect(lines[5]?.lastedMs).toBeGreaterThanOrEqual(16 * minuteMs);
  });

  test('has one line for all targets while the database is away, and its end', async () => {
    let isAway = false;
    const names = ['one', 'two', 'three'];
    const targets = names.map((name, index) => ({ name, region: `eu-west-${index + 1}` }));
    await using queue = await openQueue({
      targets,
      timings,
      replicas: 0,
      emulator: { runningMs: 10 * 3_600_000 },
    });
    for (const { name, region: place } of targets)
      await queue.put({ target: name, destination: `archive-${place}` });
    await queue.openReplica({ seeDatabase: (database) => seeAway(database, () => isAway) });
    await queue.time.runUntil(async () =>
      (await queue.states()).every((state) => state === 'running'),
    );

    isAway = true;
    const awayAt = queue.time.now();
    await queue.time.runFor(20 * minuteMs);
    isAway = false;
    await queue.time.runFor(5 * minuteMs);

    const lines = queue.log.filter(({ text }) =>
      /look for work|worker|works again/.test(`${text}`),
    );
    const failures = lines.filter(({ level }) => level !== 'info');
    expect(failures.length).toBeLessThanOrEqual(6);
    expect(failures.at(-1)).toMatchObject({ level: 'error', problem: 'database-unavailable' });
    const sinceMs = Date.parse(String(failures[0]?.since)) - awayAt;
    expect(sinceMs).toBeLessThanOrEqual(timings.idleMs);
    expect(lines.at(-1)).toMatchObject({ text: 'database of the export jobs works again' });
    expect(lines.at(-1)?.lastedMs).toBeGreaterThanOrEqual(19 * minuteMs);
  });

  test('names the task of another tool in the slot, its begin, and an error after an hour', async () => {
    await using queue = await openQueue({ timings, random: () => 0 });
    const taskId = queue.emulator.seed.foreignTask({ region, durationMs: 70 * minuteMs });
    await queue.put();

    await queue.runUntilDone();
    await queue.time.runFor(2 * minuteMs);

    const text = 'slot held by a task that no job created, waiting';
    const lines = linesOf(queue, text);
    const facts = { target: 'default', problem: 'export-slot-taken', taskId };
    expect(lines[0]).toMatchObject({ level: 'warn', ...facts, heldSince: iso(startAt), text });
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      { ...facts, since: lines[0]?.since },
    ]);
    expect(lines.length).toBeLessThanOrEqual(8);
    const [end] = linesOf(queue, 'AWS accepts creates again');
    expect(end?.lastedMs).toBeGreaterThanOrEqual(70 * minuteMs);
  });

  test('has the end of refused creates also if the slot was released in between', async () => {
    await using queue = await openQueue({ timings, random: () => 0 });
    const throttled = { kind: 'error', code: 'ThrottlingException' } as const;
    queue.emulator.faults.add({ operation: 'CreateExportTask', ...throttled, count: 100_000 });
    const jobId = await queue.put();
    await queue.time.runFor(5 * minuteMs);
    await queue.cancel(jobId);
    const slots = queue.database.queries.selectFrom('slots').select('owner');
    await queue.time.runUntil(async () => (await slots.executeTakeFirst())?.owner === null);

    queue.emulator.faults.clear();
    await queue.put();
    await queue.runUntilDone();
    await queue.time.runFor(2 * minuteMs);

    const lines = linesOf(queue, 'AWS refused a create, retrying', 'AWS accepts creates again');
    expect(lines.map(({ level }) => level)).toContain('warn');
    expect(lines.filter(({ level }) => level === 'info')).toMatchObject([
      { target: 'default', lastedMs: expect.any(Number) },
    ]);
  });

  test('names at once each further task of another tool in the slot', async () => {
    await using queue = await openQueue({ random: () => 0 });
    const first = queue.emulator.seed.foreignTask({ region, durationMs: 10_000 });
    await queue.put();
    await queue.time.runFor(9_000);

    const second = queue.emulator.seed.foreignTask({ region, durationMs: 10_000 });
    await queue.runUntilDone();

    const lines = linesOf(queue, 'slot held by a task that no job created, waiting');
    expect([...new Set(lines.map(({ taskId }) => taskId))]).toEqual([first, second]);
  });

  test('has one line for each job and problem that fails, with the number of slices', async () => {
    await using queue = await openQueue();
    const first = await queue.put({ slices: 20, logGroupName: '/missing' });
    const second = await queue.put({ slices: 20, logGroupName: '/missing-too' });

    await queue.runUntilDone();

    const lines = linesOf(queue, 'slice failed');
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        target: 'default',
        problem: 'log-group-not-found',
        detail: expect.stringMatching(/^AWS says: .+/),
        since: expect.any(String),
        others: 19,
      }),
      expect.objectContaining({ level: 'warn', others: 19 }),
    ]);
    expect(lines.map(({ jobId }) => jobId).sort()).toEqual([first, second].sort());
  });

  test('names an attempt that is tried again, and the failure of its slice', async () => {
    await using queue = await openQueue();
    queue.emulator.faults.add({ operation: 'CreateExportTask', kind: 'task-fails', count: 100 });
    const jobId = await queue.put({ sliceMs: 60_000 }); // too short to be split

    await queue.runUntilDone();

    const facts = { target: 'default', jobId, slice: 0, problem: 'export-task-failed' };
    expect(linesOf(queue, 'attempt of a slice failed, retrying')[0]).toMatchObject({
      ...facts,
      attempt: 1,
      readyInMs: expect.any(Number),
    });
    expect(linesOf(queue, 'slice failed')).toMatchObject([{ ...facts, attempt: 3 }]);
  });
});
