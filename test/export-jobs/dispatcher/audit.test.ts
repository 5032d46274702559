import { expect, test } from 'vitest';

import { jobOf } from '../jobs-of-callers.ts';
import { openQueue, type Queue, refusal } from '../open-queue.ts';

const entriesOf = ({ database }: Queue) =>
  database.queries.selectFrom('auditEntries').selectAll().orderBy('version').execute();

/** Counts the audit entries with the request id of each call of an operation. */
async function entriesOfCalls(queue: Queue, operation: string): Promise<number[]> {
  const entries = await entriesOf(queue);
  return queue
    .calls(operation)
    .map(
      ({ requestId }) =>
        entries.filter(
          ({ awsRequestId, action }) => awsRequestId === requestId && action === operation,
        ).length,
    );
}

test('records one entry for each create and cancel, for any answer of AWS', async () => {
  await using queue = await openQueue({ emulator: { runningMs: 20_000 } });
  const codes = ['ThrottlingException', 'LimitExceededException', 'ExpiredTokenException'];
  for (const [skip, code] of codes.entries()) {
    queue.emulator.faults.add({ kind: 'error', operation: 'CreateExportTask', code, skip });
  }
  queue.emulator.faults.add({ ...refusal, operation: 'CancelExportTask' });
  await jobOf('ann', queue.database, { logGroupNames: ['/app', '/gone'] });
  const jobId = await jobOf('bob', queue.database, { days: 2 });
  await queue.time.runUntil(async () => (await queue.states(jobId)).includes('running'));
  await queue.cancel(jobId);

  await queue.runUntilDone();

  const creates = await entriesOfCalls(queue, 'CreateExportTask');
  const cancels = await entriesOfCalls(queue, 'CancelExportTask');
  expect(creates.length).toBeGreaterThanOrEqual(codes.length + 3);
  expect(creates).toEqual(creates.map(() => 1));
  expect(cancels).toEqual([1, 1]);
});

test('records who did what with which outcome, from the job to its end', async () => {
  await using queue = await openQueue();
  const jobId = await jobOf('ann', queue.database);

  await queue.runUntilDone();

  const [task] = queue.emulator.exportTasks();
  const [create] = queue.calls('CreateExportTask');
  const lastLook = queue.calls('DescribeExportTasks').at(-1);
  const ofSlice = {
    jobId,
    target: 'default',
    slice: 0,
    logGroupName: '/app',
    destination: 'archive',
    destinationPrefix: `jobs/${jobId}`,
    requestId: task?.taskName,
    outcome: 'ok',
  };
  const [, ...entries] = await entriesOf(queue);
  expect(entries).toMatchObject([
    {
      ...ofSlice,
      version: 2,
      change: 'slice-starting',
      action: 'CreateExportTask',
      principal: 'test#ann',
      taskId: null,
      awsRequestId: null,
    },
    {
      ...ofSlice,
      version: 3,
      change: 'slice-running',
      action: 'CreateExportTask',
      principal: 'test#ann',
      taskId: task?.taskId,
      awsRequestId: create?.requestId,
    },
    {
      ...ofSlice,
      version: 4,
      change: 'slice-verifying',
      action: 'DescribeExportTasks',
      principal: 'log-export-gateway',
      taskId: task?.taskId,
      awsRequestId: lastLook?.requestId,
      manifestSha256: null,
    },
    {
      ...ofSlice,
      version: 5,
      change: 'slice-completed',
      action: 'VerifyExport',
      principal: 'log-export-gateway',
      taskId: task?.taskId,
      awsRequestId: null,
      manifestSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
});

test('records a lost create by its marker, and that the gateway found it', async () => {
  await using queue = await openQueue();
  queue.emulator.faults.add({ kind: 'reset-after', operation: 'CreateExportTask' });
  await jobOf('ann', queue.database);

  await queue.runUntilDone();

  const [task] = queue.emulator.exportTasks();
  const found = (await entriesOf(queue)).filter(({ requestId }) => requestId === task?.taskName);
  expect(found.map(({ change, action }) => [change, action])).toEqual([
    ['slice-starting', 'CreateExportTask'],
    ['slice-running', 'DescribeExportTasks'],
    ['slice-verifying', 'DescribeExportTasks'],
    ['slice-completed', 'VerifyExport'],
  ]);
});

test('records the cancel of an orphaned task for the caller of its job', async () => {
  await using queue = await openQueue({ emulator: { runningMs: 600_000, activeTaskLimit: 2 } });
  queue.emulator.faults.add({
    kind: 'late-effect',
    operation: 'CreateExportTask',
    delayMs: 200_000,
  });
  const jobId = await jobOf('ann', queue.database);

  await queue.runUntilDone();

  const [call] = queue.calls('CancelExportTask');
  const entry = (await entriesOf(queue)).find(({ action }) => action === 'CancelExportTask');
  expect(entry).toMatchObject({
    jobId,
    principal: 'test#ann',
    version: null,
    change: null,
    outcome: 'ok',
    awsRequestId: call?.requestId,
    taskId: expect.any(String),
    destination: 'archive',
  });
});
