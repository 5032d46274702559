import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { readVersions } from '#export-jobs/store/reads/read-progress.ts';
import { keepTask } from '#export-jobs/store/tasks/keep-task.ts';
import { makeChangeWatch } from '#export-jobs/watching/change-watch.ts';
import { claimDelivery } from '#notifications/deliveries/tries/claim-delivery.ts';
import { fanOut } from '#notifications/outbox/fan-out.ts';
import { confirmSinks } from '#notifications/outbox/sinks-in-use.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { isAwsError } from '#wire/protocol/aws-error.ts';
import { awaitAnswer } from '#wire/tasks/await-answer.ts';
import { bringTo, sliceProblem } from '../../export-jobs/accepted-jobs.ts';
import { insertAttempt } from '../../export-jobs/insert-rows.ts';
import { openStore, storageBackends } from '../../export-jobs/storage-backends.ts';
import { givenTask } from '../../export-jobs/tasks/given-task.ts';

const log = { info() {}, warn() {}, error() {} };

describe.each(storageBackends)('a task that AWS refuses at once, on %s', (_name, openStorage) => {
  const now = 1_700_000_000_000; // the clock stands: nothing here depends on how long it takes
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage, () => now);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  /** What a request is answered, and what it does to the job. */
  const answerOf = async (jobId: string, target: string, { isNew }: { isNew: boolean }) => {
    const watch = makeChangeWatch({
      what: 'jobs',
      readVersions: (ids) => readVersions(database.queries, ids),
      sleep: sleepUntilAborted,
      log,
    });
    const answer = await awaitAnswer({ database, watch }, { jobId, target, isNew });
    return typeof answer === 'string' ? answer : isAwsError(answer) && answer.code;
  };
  const refuse = async (jobId: string, target: string) => {
    await insertAttempt(database, { jobId, target, submittedAt: now });
    await database.queries
      .updateTable('attempts')
      .set({ awsError: JSON.stringify({ code: 'InvalidParameterException', message: 'No.' }) })
      .where('jobId', '=', jobId)
      .execute();
    await bringTo(database, jobId, 0, 'failed', sliceProblem('destination-not-found'));
  };
  const tablesWith = async (jobId: string) => {
    const tables = ['idempotencyKeys', 'events', 'attempts', 'slices'] as const;
    const found = tables.map(async (table) => {
      const query = database.queries.selectFrom(table).select('jobId').where('jobId', '=', jobId);
      return (await query.execute()).length > 0 ? [table] : [];
    });
    return (await Promise.all(found)).flat();
  };
  const eventsOf = async (jobId: string) => {
    const tables = ['notificationEvents', 'deliveries'] as const;
    const found = tables.map((table) =>
      database.queries.selectFrom(table).select('type').where('jobId', '=', jobId).execute(),
    );
    return (await Promise.all(found)).map((rows) => rows.length);
  };

  test('goes away, and its request gets the refusal', async () => {
    const target = randomUUID();
    const jobId = await givenTask(database, {}, { target });
    await refuse(jobId, target);

    expect(await answerOf(jobId, target, { isNew: true })).toBe('InvalidParameterException');
    expect(await tablesWith(jobId)).toEqual([]);
    expect(await keepTask(database, jobId)).toBe(false);
  });

  test('stays if a repeat of its create was answered with its id before', async () => {
    const target = randomUUID();
    const other = await givenTask(database, {}, { target });
    const jobId = await givenTask(database, {}, { target });
    await bringTo(database, other, 0, 'running');

    expect(await answerOf(jobId, target, { isNew: false })).toBe('accepted');
    await bringTo(database, other, 0, 'completed');
    await refuse(jobId, target);

    expect(await answerOf(jobId, target, { isNew: true })).toBe('accepted');
    expect(await tablesWith(jobId)).toEqual(['idempotencyKeys', 'events', 'attempts', 'slices']);
  });

  test('ends either deleted or kept if both happen at the same time', async () => {
    const target = randomUUID();
    for (let round = 0; round < 10; round += 1) {
      const jobId = await givenTask(database, {}, { target });
      await refuse(jobId, target);
      const [answer, isKept] = await Promise.all([
        answerOf(jobId, target, { isNew: true }),
        keepTask(database, jobId),
      ]);

      expect(answer).toBe(isKept ? 'accepted' : 'InvalidParameterException');
      expect((await tablesWith(jobId)).length > 0).toBe(isKept);
    }
  });

  test.each([
    ['is still in the outbox', async () => {}, [0, 0]],
    ['was not sent yet', () => fanOut(database, ''), [0, 0]],
    [
      'is being sent',
      async (target: string) => {
        await fanOut(database, '');
        const claim = { destination: `sns:${target}`, owner: 'me', leaseMs: 60_000 };
        expect(await claimDelivery(database, claim)).toBeDefined();
      },
      [0, 1],
    ],
  ])('takes its event along, unless that has left: it %s', async (_where, bring, left) => {
    const target = randomUUID();
    await confirmSinks(database, [{ target, kind: 'sns' }]);
    const jobId = await givenTask(database, {}, { target });
    await refuse(jobId, target);
    await bring(target);
    const other = await givenTask(database, {}, { target });
    await bringTo(database, other, 0, 'failed', sliceProblem('export-task-failed'));

    await answerOf(jobId, target, { isNew: true });

    expect(await eventsOf(jobId)).toEqual(left);
    expect(await eventsOf(other)).toEqual([1, 0]);
  });
});
