import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { readEvents } from '#export-jobs/store/reads/read-events.ts';
import { recordCall, recordChange } from '#export-jobs/store/record-change.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { bringTo, givenJob, sliceProblem } from '../accepted-jobs.ts';
import { approvalOf, testAuditContext } from '../caller-requests.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

describe.each(storageBackends)('the audit of jobs, on %s', (_name, openStorage) => {
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const entriesOf = (jobId: string) =>
    database.queries
      .selectFrom('auditEntries')
      .selectAll()
      .where('jobId', '=', jobId)
      .orderBy('version')
      .execute();

  test('has one entry per change with its principal, also for ten thousand slices', async () => {
    const jobId = await givenJob(database, 10_000, { caller: 'ann' });
    await bringTo(database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
    await retryJob(database, jobId, approvalOf('bob'), 0);
    await cancelJob(database, jobId, approvalOf('eve'));

    const entries = await entriesOf(jobId);
    const events = await readEvents(database.queries, jobId, 0);
    expect(entries.map(({ version, change }) => [version, change])).toEqual(
      events.map(({ version, type }) => [version, type]),
    );
    expect(entries.map(({ action, principal }) => [action, principal])).toEqual([
      ['CreateExportJob', 'ann'],
      ['CreateExportTask', 'anonymous'],
      ['RetryExportJob', 'bob'],
      ['CancelExportJob', 'eve'],
      ['CancelExportJob', 'eve'],
    ]);
  });

  test('has the sent values and the outcome of a slice', async () => {
    const jobId = await givenJob(database, 1);
    const change = { type: 'slice-failed', slice: 0, attempt: 1, problem: 'aws-timeout' } as const;
    const auditContext = {
      ...testAuditContext,
      logGroupName: '/app',
      destinationPrefix: 'filled/in',
      awsRequestId: 'r-1',
      policies: ['one', 'two'],
    };

    await database.transaction((queries) =>
      recordChange(queries, database, jobId, change, auditContext),
    );

    expect((await entriesOf(jobId))[1]).toEqual({
      at: expect.any(Number),
      jobId,
      version: 2,
      change: 'slice-failed',
      slice: 0,
      principal: 'anonymous',
      action: 'CreateExportTask',
      requestId: 'marker-of-the-test',
      target: 'default',
      destination: 'archive',
      destinationPrefix: 'filled/in',
      logGroupName: '/app',
      taskId: null,
      awsRequestId: 'r-1',
      outcome: 'aws-timeout',
      policies: '["one","two"]',
      manifestSha256: null,
      archiveId: null,
      reason: null,
    });
  });

  test('has no entry of a rolled-back change', async () => {
    const jobId = await givenJob(database, 1);

    const undone = database.transaction(async (queries) => {
      const change = { type: 'slices-retried', slices: 1 } as const;
      await recordChange(queries, database, jobId, change, testAuditContext);
      throw new Error('rolled back');
    });

    await expect(undone).rejects.toThrow('rolled back');
    expect(await entriesOf(jobId)).toHaveLength(1);
  });

  test('has calls that changed nothing, also for unknown jobs', async () => {
    const call = { target: 'default', jobId: null, taskId: 'a-stray', destination: 'archive' };

    await recordCall(database, call, { ...testAuditContext, problem: 'aws-throttled' });

    const query = database.queries.selectFrom('auditEntries').selectAll();
    expect(await query.where('taskId', '=', 'a-stray').executeTakeFirst()).toMatchObject({
      ...call,
      version: null,
      change: null,
      policies: '[]',
      outcome: 'aws-throttled',
    });
  });

  test.each([
    ['changed', sql`update audit_entries set principal = 'nobody'`],
    ['taken away', sql`delete from audit_entries`],
    ['taken away one by one', sql`delete from audit_entries where change = 'job-accepted'`],
  ])('never has an entry %s', async (_how, statement) => {
    const jobId = await givenJob(database, 1);
    const before = await entriesOf(jobId);

    await expect(statement.execute(database.queries)).rejects.toThrow(
      'audit entries are only ever added',
    );

    expect(await entriesOf(jobId)).toEqual(before);
  });
});

test('cannot be truncated on PostgreSQL', async () => {
  const [, openStorage] = storageBackends[1] as (typeof storageBackends)[0];
  await using database = await openStore(openStorage);

  const emptied = sql`truncate audit_entries`.execute(database.queries);

  await expect(emptied).rejects.toThrow('audit entries are only ever added');
});
