import { describe, expect, test } from 'vitest';

import type { Question } from '#auth/authorization/authorizer.ts';
import type { CreateCallOptions } from '#aws/call-options.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { readTasks } from '#export-jobs/store/tasks/read-tasks.ts';
import { writeTaskParameters } from '#export-jobs/task-parameters.ts';
import type { OpenTarget } from '#targets/target.ts';
import { showTask } from '#wire/tasks/show-task.ts';
import { authorizerBy } from '../../access.ts';
import { region } from '../../world.ts';
import { approvalOf } from '../caller-requests.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';
import { givenTask, putTask, taskParameters } from './given-task.ts';

const hourMs = 3_600_000;

const taskOf = async ({ database }: Queue, jobId: string) =>
  (await readTasks(database, database.queries, [jobId])).get(jobId);
const verificationOf = ({ database }: Queue) =>
  database.queries.selectFrom('verifications').selectAll().executeTakeFirstOrThrow();
const coverageOf = ({ database }: Queue) =>
  database.queries.selectFrom('coverage').selectAll().execute();

describe.each(['sqlite', 'postgres'] as const)('a task of an AWS client (%s)', (backend) => {
  test('that fails at AWS fails at once, and a retry exports it again', async () => {
    await using queue = await openQueue({ backend });
    queue.emulator.faults.add({ operation: 'CreateExportTask', kind: 'task-fails' });
    const jobId = await putTask(queue);

    await queue.runUntilDone();
    const failed = await taskOf(queue, jobId);
    await retryJob(queue.database, jobId, approvalOf('anonymous'), 0);
    for (const dispatcher of queue.dispatchers) dispatcher.wake();
    await queue.runUntilDone();

    const [first] = queue.emulator.exportTasks();
    expect(failed).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      awsTaskId: first?.taskId,
      awsError: { code: 'FAILED', message: 'FAILED' },
    });
    expect(await taskOf(queue, jobId)).toMatchObject({ status: 'COMPLETED', attempt: 2 });
    const prefixes = queue.emulator.exportTasks().map((task) => task.destinationPrefix);
    expect(prefixes).toEqual(Array(2).fill(`exportedlogs/${jobId}`));
  });

  test('that AWS refuses fails with the words of AWS, without a look at the bucket', async () => {
    await using queue = await openQueue({ backend });
    const jobId = await putTask(queue, { destination: 'no-such-bucket' });

    await queue.runUntilDone();

    expect(await taskOf(queue, jobId)).toMatchObject({
      status: 'FAILED',
      awsTaskId: null,
      awsError: {
        code: 'InvalidParameterException',
        message: 'The given bucket does not exist. Please make sure the bucket is valid.',
      },
    });
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(queue.emulator.journal.entries().filter(({ service }) => service === 's3')).toEqual([]);
  });

  test('is sent again until the slot is free', async () => {
    await using queue = await openQueue({ backend });
    queue.emulator.seed.foreignTask({ region, durationMs: 5_000 });
    const jobId = await putTask(queue);

    await queue.runUntilDone();

    expect(await taskOf(queue, jobId)).toMatchObject({ status: 'COMPLETED', awsError: undefined });
  });

  test('that runs for long is left to AWS, and is not split', async () => {
    await using queue = await openQueue({ backend, emulator: { runningMs: 30 * hourMs } });
    const jobId = await putTask(queue, { from: 0n, to: BigInt(startAt) });
    await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
    queue.emulator.clock.advance(23.8 * hourMs);
    await queue.time.runFor(60_000);
    const later = await queue.states();
    queue.emulator.clock.advance(hourMs);

    await queue.runUntilDone();

    expect(later).toEqual(['running']);
    expect(await taskOf(queue, jobId)).toMatchObject({ status: 'FAILED', attempt: 1 });
    expect(queue.calls('CancelExportTask')).toEqual([]);
  });

  test('is decided by the prefix that was asked for, and its session gets the one that is sent', async () => {
    const questions: Question[] = [];
    const grants: CreateCallOptions['grant'][] = [];
    const authorizer = authorizerBy(() => true);
    const seeTarget = (target: OpenTarget): OpenTarget => ({
      ...target,
      logs: {
        ...target.logs,
        createExportTask(task, how) {
          grants.push(how?.grant);
          return target.logs.createExportTask(task, how);
        },
      },
    });
    const decide: typeof authorizer.decide = (request, question) => {
      questions.push(question);
      return authorizer.decide(request, question);
    };
    await using queue = await openQueue({
      backend,
      seeTarget,
      authorizer: { ...authorizer, decide },
    });
    const jobId = await putTask(queue, { destinationPrefix: 'team-a/', to: 2n ** 60n });

    await queue.runUntilDone();

    expect(questions.map(({ context }) => context)).toEqual([
      {
        destination: 'archive',
        destinationPrefix: 'team-a/',
        priority: 0,
        from: taskParameters.from,
        to: 2n ** 60n,
      },
    ]);
    const granted = { logGroupName: '/app', destination: 'archive' };
    expect(grants).toEqual([{ ...granted, destinationPrefix: `team-a/${jobId}` }]);
  });

  test.each([
    ['', '', ''],
    ['/', '/', ''],
    ['exportedlogs', '/', 'exportedlogs/'], // decided so, with the parameters as they were sent
  ])(
    'with the stored prefix %j and the parameter %j is decided and shown by the stored one',
    async (stored, sent, folder) => {
      const prefixes: unknown[] = [];
      const authorizer = authorizerBy(() => true);
      const decide: typeof authorizer.decide = (request, question) => {
        prefixes.push(question.context?.destinationPrefix);
        return authorizer.decide(request, question);
      };
      await using queue = await openQueue({ backend, authorizer: { ...authorizer, decide } });
      const jobId = await givenTask(queue.database);
      const parameters = { ...taskParameters, destinationPrefix: sent };
      const columns = {
        destinationPrefix: stored,
        taskParameters: writeTaskParameters(parameters),
      };
      await queue.database.queries
        .updateTable('jobs')
        .set(columns)
        .where('id', '=', jobId)
        .execute();
      for (const dispatcher of queue.dispatchers) dispatcher.wake();

      await queue.runUntilDone();

      expect(prefixes).toEqual([stored]);
      const [atAws] = queue.emulator.exportTasks();
      expect(atAws?.destinationPrefix).toBe(`${folder}${jobId}`);
      const task = await taskOf(queue, jobId);
      expect(task && showTask(task)).toMatchObject({ destinationPrefix: stored });
    },
  );
});

describe('the verification of a task of an AWS client', () => {
  const future = BigInt(startAt) + 86_400_000n;

  test.each([
    ['seconds', taskParameters.from, taskParameters.to, true, 1],
    ['a day', BigInt(startAt - 90 * 24 * hourMs), BigInt(startAt - 89 * 24 * hourMs) - 1n, true, 1],
    ['one millisecond', 5n, 5n, true, 1],
    ['an end in the future', 1n, future, false, 0],
    ['an end before the start', BigInt(startAt), 1n, false, 0],
    ['the largest numbers', 2n ** 63n - 1n, 2n ** 63n - 1n, false, 0],
  ])('completes an empty export of %s', async (_name, from, to, isExhaustive, covered) => {
    await using queue = await openQueue();
    const jobId = await putTask(queue, { from, to }, { verification: 'count' });

    await queue.runUntilDone();

    expect(await taskOf(queue, jobId)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    const { method, isEmpty, evidence } = await verificationOf(queue);
    expect({ method, isEmpty }).toEqual({ method: 'objects', isEmpty: 1 });
    expect(JSON.parse(evidence ?? '{}').emptiness).toMatchObject({ isExhaustive });
    expect(await coverageOf(queue)).toHaveLength(covered);
  });

  test('fails an export without objects if the log group has events, and does not repeat it', async () => {
    await using queue = await openQueue();
    const at = startAt - 48 * hourMs;
    queue.emulator.seed.logEvents({
      region,
      logGroupName: '/app',
      logStreamName: 'web',
      events: [{ timestamp: at, message: 'one' }],
    });
    queue.emulator.faults.add({
      operation: 'CreateExportTask',
      kind: 'objects-missing',
      missing: 'all',
    });
    const window = { from: BigInt(at), to: BigInt(at) + 1_000n };
    const jobId = await putTask(queue, window, { verification: 'objects' });

    await queue.runUntilDone();

    expect(await taskOf(queue, jobId)).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      problem: { type: '/problems/export-incomplete' },
    });
  });
});
