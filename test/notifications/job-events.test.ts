import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { confirmSinks } from '#notifications/outbox/sinks-in-use.ts';
import { bringTo, givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { approvalOf } from '../export-jobs/caller-requests.ts';
import { openStore, storageBackends } from '../export-jobs/storage-backends.ts';

describe.each(storageBackends)('the events of jobs, on %s', (_name, openStorage) => {
  const clock = { now: 1_700_000_000_000 };
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage, () => clock.now);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const me = approvalOf('anonymous');
  const listenAt = (target: string) => confirmSinks(database, [{ target, kind: 'sns' }]);
  const eventsOf = async (jobId: string) => {
    const rows = await database.queries
      .selectFrom('notificationEvents')
      .selectAll()
      .where('jobId', '=', jobId)
      .orderBy('version')
      .execute();
    return rows.map(({ type, version, data }) => [type, version, JSON.parse(data).state]);
  };
  /** A job at a target of its own with a topic. */
  async function heardJob(slices: number): Promise<string> {
    const target = randomUUID();
    await listenAt(target);
    return givenJob(database, slices, { facts: { target } });
  }
  const versionOf = async (jobId: string) => {
    const query = database.queries.selectFrom('jobs').select('version').where('id', '=', jobId);
    return (await query.executeTakeFirstOrThrow()).version;
  };

  test.each(['completed', 'failed', 'cancelled'] as const)(
    'are recorded once, with the last slice that is %s',
    async (state) => {
      const jobId = await heardJob(2);
      await bringTo(database, jobId, 1, 'completed');
      expect(await eventsOf(jobId)).toEqual([]);

      await bringTo(database, jobId, 0, state, sliceProblem('export-task-failed'));

      expect(await eventsOf(jobId)).toEqual([
        [`export_job.${state}`, await versionOf(jobId), state],
      ]);
    },
  );

  test('are recorded once by a cancel that ends a job, and not by one that does not', async () => {
    const waiting = await heardJob(3);
    const running = await heardJob(3);
    await bringTo(database, running, 0, 'running');

    await cancelJob(database, waiting, me);
    await cancelJob(database, running, me);

    expect(await eventsOf(waiting)).toEqual([
      ['export_job.cancelled', await versionOf(waiting), 'cancelled'],
    ]);
    expect(await eventsOf(running)).toEqual([]);
  });

  test('are recorded again after a retry', async () => {
    const jobId = await heardJob(1);
    await bringTo(database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
    await retryJob(database, jobId, me, 0);
    await bringTo(database, jobId, 0, 'completed');

    const states = (await eventsOf(jobId)).map(([type]) => type);
    expect(states).toEqual(['export_job.failed', 'export_job.completed']);
  });

  test('are not recorded after no replica has confirmed the topic for five minutes', async () => {
    const jobId = await heardJob(1);
    clock.now += 300_001;
    await confirmSinks(database, []);

    await bringTo(database, jobId, 0, 'completed');

    expect(await eventsOf(jobId)).toEqual([]);
  });
});
