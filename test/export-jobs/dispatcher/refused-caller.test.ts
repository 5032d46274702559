import { expect, test } from 'vitest';

import { makeQueueView } from '#export-jobs/queue/position.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue, refusal } from '../open-queue.ts';

const region = 'eu-west-1';
const roleArn = 'arn:aws:iam::123456789012:role/log-export';
const denied = { ...refusal, operation: 'AssumeRole', code: 'AccessDenied', status: 403 } as const;

/** A queue whose role trusts every caller but `refused`, while `isRefused`. */
async function openRefusing(isRefused: (queue: Queue) => boolean = () => true): Promise<Queue> {
  const queue: Queue = await openQueue({
    isSessionScoped: true,
    targets: [{ name: 'default', region, roleArn }],
    timings: { resendAfterMs: [5_000, 90_000] },
    random: () => 0.5,
    seeTarget: (target) => ({
      ...target,
      logs: {
        ...target.logs,
        async createExportTask(task, options) {
          if (options?.caller === 'refused' && isRefused(queue)) queue.emulator.faults.add(denied);
          const outcome = await target.logs.createExportTask(task, options);
          queue.emulator.faults.clear();
          return outcome;
        },
      },
    }),
  });
  return queue;
}

const attemptsOf = ({ database }: Queue, jobId: string) =>
  database.queries
    .selectFrom('attempts')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('slice', '=', 0)
    .orderBy('attempt')
    .execute();

const isDone = (queue: Queue, jobId: string) => async () =>
  (await queue.states(jobId)).every((state) => state === 'completed');

test('starts the slices of others at once when STS refuses a caller', async () => {
  await using queue = await openRefusing();
  const refused = await queue.put({ caller: 'refused', priority: 10, slices: 5 });
  const other = await queue.put({ caller: 'other', slices: 3 });

  await queue.time.runUntil(isDone(queue, other));

  expect(queue.time.now() - startAt).toBeLessThan(12_000); // three exports take 6 s
  expect(await queue.states(refused)).toEqual(Array(5).fill('waiting'));
  const view = makeQueueView(queue.database, queue.time.now);
  expect(await view.problemOf('default')).toBeUndefined();
  expect(queue.log.map(({ text }) => text)).not.toContain('AWS refused a create, retrying');
});

test('fails the slices of a refused caller with the reason after growing pauses', async () => {
  await using queue = await openRefusing();
  const refused = await queue.put({ caller: 'refused', slices: 2 });

  await queue.runUntilDone();

  const slices = await queue.slices(refused);
  expect(slices).toMatchObject(Array(2).fill({ state: 'failed', attempt: 3 }));
  expect(JSON.parse(slices[0]?.problem ?? '')).toMatchObject({
    type: '/problems/service-role-unusable',
    detail: 'AWS STS refused a session of the service role with the name of the caller.',
    isRetryable: true,
    remedy: expect.stringContaining('trust policy'),
  });
  const attempts = await attemptsOf(queue, refused);
  const pauses = attempts
    .slice(1)
    .map(({ submittedAt }, index) => submittedAt - (attempts[index]?.endedAt ?? 0));
  expect(pauses[0]).toBeGreaterThanOrEqual(60_000);
  expect(pauses[1]).toBeGreaterThanOrEqual(90_000);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(Array(3).fill('not-sent'));
  expect(queue.calls('AssumeRole')).toHaveLength(3);
  expect(queue.calls('CreateExportTask')).toEqual([]);
  expect(queue.log).toContainEqual(
    expect.objectContaining({
      text: 'slice failed',
      problem: 'service-role-unusable',
      err: expect.objectContaining({ name: 'CallerRefused' }),
    }),
  );
});

test('exports the slices of a refused caller when STS accepts it again', async () => {
  await using queue = await openRefusing((queue) => queue.time.now() < startAt + 30_000);
  const refused = await queue.put({ caller: 'refused', slices: 2 });

  await queue.runUntilDone();

  expect(await queue.states(refused)).toEqual(['completed', 'completed']);
  expect(queue.time.now() - startAt).toBeLessThan(90_000);
});
