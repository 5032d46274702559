import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { openStore, storageBackends } from '../storage-backends.ts';
import { dayMs, purgeOnce, putJob, start } from './ended-jobs.ts';

describe.each(storageBackends)('audit entries, on %s', (_name, openStorage) => {
  const clock = { now: start };
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage, () => clock.now);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const entriesOf = async (jobId: string) =>
    (
      await database.queries
        .selectFrom('auditEntries')
        .select('version')
        .where('jobId', '=', jobId)
        .execute()
    ).length;

  test('are deleted after their days, by the purge alone', async () => {
    const old = await putJob(database);
    clock.now = start + 1;
    const young = await putJob(database);
    clock.now = start + 400 * dayMs;

    const { deleted } = await purgeOnce(database);

    expect(deleted.auditEntries).toBe(2);
    expect([await entriesOf(old), await entriesOf(young)]).toEqual([0, 2]);
    const all = sql`delete from audit_entries`.execute(database.queries);
    await expect(all).rejects.toThrow('audit entries are only ever added');
    expect(await entriesOf(young)).toBe(2);
  });

  test('are kept when a purge fails in between, and still refuse to be deleted', async () => {
    const jobId = await putJob(database);
    const entries = await entriesOf(jobId);

    const undone = database.transaction(async (queries) => {
      await queries.updateTable('purge').set({ auditDeletableUpTo: clock.now }).execute();
      await sql`delete from audit_entries`.execute(queries);
      throw new Error('killed');
    });
    await expect(undone).rejects.toThrow('killed');

    expect(await entriesOf(jobId)).toBe(entries);
    const one = sql`delete from audit_entries where job_id = ${jobId}`.execute(database.queries);
    await expect(one).rejects.toThrow('audit entries are only ever added');
  });

  test.each([
    ['changed', sql`update audit_entries set principal = 'nobody'`],
    ['deleted when they are younger than permitted', sql`delete from audit_entries`],
  ])('cannot be %s while the purge may delete old ones', async (_how, statement) => {
    const jobId = await putJob(database);
    const upTo = clock.now - 1;

    const changed = database.transaction(async (queries) => {
      await queries.updateTable('purge').set({ auditDeletableUpTo: upTo }).execute();
      await statement.execute(queries);
    });

    await expect(changed).rejects.toThrow('audit entries are only ever added');
    expect(await entriesOf(jobId)).toBe(2);
  });

  test('cannot be deleted without the row that permits it', async () => {
    const changed = database.transaction(async (queries) => {
      await queries.deleteFrom('purge').execute();
      await sql`delete from audit_entries`.execute(queries);
    });

    await expect(changed).rejects.toThrow('audit entries are only ever added');
  });

  test('are never deleted with 0 days', async () => {
    const jobId = await putJob(database);
    clock.now += 10_000 * dayMs;

    await purgeOnce(database, { keep: { finishedJobsMs: dayMs, auditMs: 0 } });

    expect(await entriesOf(jobId)).toBe(2);
  });
});
