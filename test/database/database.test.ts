import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { migrateDatabase, openDatabase } from '#database/open-database.ts';
import { openReady, patientLimits } from '../ready-database.ts';
import { emptyStorage, key, keysIn } from './homes.ts';

/** A job as written by the version before authentication. */
const jobBefore = (id: string) => ({
  id,
  target: 'default',
  caller: 'anonymous',
  priority: 0,
  sliceBy: 'none',
  fromAt: 0,
  toAt: 1,
  destination: 'archive',
  destinationPrefix: 'x',
  isUnsettledAllowed: 0 as const,
  acceptedAt: 1,
});

describe.each(['sqlite', 'postgres'] as const)('the database in %s', (kind) => {
  test('has its tables when it is opened, and the same id when it is opened again', async () => {
    const options = await emptyStorage(kind);

    const ids = async () => {
      await using database = await openReady(options);
      return await database.queries.selectFrom('installation').select('id').execute();
    };
    const first = await ids();

    expect(first).toEqual([{ id: expect.stringMatching(/^[0-9a-f]{8}$/) }]);
    expect(await ids()).toEqual(first);
  });

  test('returns the applied migrations once', async () => {
    const options = await emptyStorage(kind);

    expect(await migrateDatabase(options)).toEqual([
      '0001-export-jobs',
      '0002-callers',
      '0003-time-zones',
      '0004-misses',
      '0005-work',
      '0006-retention',
      '0007-trace-context',
      '0008-foreign-tasks',
      '0009-verification',
      '0010-archives',
      '0011-wire-and-notifications',
      '0012-archive-trials',
      '0013-tenth-starts',
      '0014-stand-backs',
      '0015-foreign-destinations',
      '0016-verification-callers',
      '0017-count-queries',
      '0018-former-retentions',
    ]);
    expect(await migrateDatabase(options)).toEqual([]);
  });

  test('migrates the tables of the previous version and keeps their rows', async () => {
    const options = await emptyStorage(kind);
    {
      await using before = await openReady(options);
      const { schema } = before.queries;
      for (const table of [
        'auditEntries',
        'callers',
        'replicas',
        'standBacks',
        'deletedJobs',
        'purge',
        'foreignTasks',
        'verifications',
        'coverage',
        'archives',
        'archiveLogGroups',
        'archiveRanges',
        'archivePartitions',
        'archiveBackfills',
        'archiveWaivers',
        'webhookEndpoints',
        'notificationEvents',
        'notificationSinks',
        'deliveries',
      ])
        await schema.dropTable(table).execute();
      for (const index of [
        'jobs_by_age',
        'lines_of_caller',
        'slices_by_readiness',
        'slots_by_send',
        'jobs_by_end',
        'jobs_without_end',
        'idempotency_keys_of_jobs',
        'jobs_of_archives',
        'jobs_of_archives_by_time',
        'jobs_of_caller_without_archive',
        'jobs_without_archive',
        'wire_tasks_of_target',
        'wire_tasks_of_caller',
        'attempts_by_task',
      ])
        await schema.dropIndex(index).execute();
      for (const column of ['sentAt', 'sweptAt', 'stoodBack', 'stoodBackUntil'])
        await schema.alterTable('slots').dropColumn(column).execute();
      for (const column of ['principal', 'timeZone', 'endedAt', 'traceParent', 'verification'])
        await schema.alterTable('jobs').dropColumn(column).execute();
      for (const column of ['archiveId', 'incarnation', 'revision'])
        await schema.alterTable('jobs').dropColumn(column).execute();
      await schema.alterTable('jobs').dropColumn('taskParameters').execute();
      await schema.alterTable('attempts').dropColumn('awsError').execute();
      await schema.alterTable('installation').dropColumn('secret').execute();
      for (const column of ['misses', 'parent'])
        await schema.alterTable('slices').dropColumn(column).execute();
      for (const column of ['watchedUntil', 'asideUntil', 'lastTenth'])
        await schema.alterTable('lines').dropColumn(column).execute();
      if (kind === 'postgres') {
        await sql`drop function refuse_audit_change, refuse_early_audit_delete`.execute(
          before.queries,
        );
        for (const table of ['slices', 'events'])
          await schema
            .alterTable(table)
            .addForeignKeyConstraint(`${table}_job_id_fkey`, ['jobId'], 'jobs', ['id'])
            .execute();
      }
      const known = before.queries.deleteFrom('migrations');
      await known.where('name', '>', '0001-export-jobs').execute();
      await before.queries.insertInto('jobs').values(jobBefore('before')).execute();
    }

    const applied = await migrateDatabase(options);
    await using after = await openReady(options);
    // A replica of the previous version is still running.
    await after.queries.insertInto('jobs').values(jobBefore('beside')).execute();

    expect(applied).toEqual([
      '0002-callers',
      '0003-time-zones',
      '0004-misses',
      '0005-work',
      '0006-retention',
      '0007-trace-context',
      '0008-foreign-tasks',
      '0009-verification',
      '0010-archives',
      '0011-wire-and-notifications',
      '0012-archive-trials',
      '0013-tenth-starts',
      '0014-stand-backs',
      '0015-foreign-destinations',
      '0016-verification-callers',
      '0017-count-queries',
      '0018-former-retentions',
    ]);
    const columns = ['id', 'principal', 'timeZone', 'verification', 'revision'] as const;
    const jobs = await after.queries.selectFrom('jobs').select(columns).execute();
    expect(jobs).toEqual([
      { id: 'before', principal: null, timeZone: 'UTC', verification: 'objects', revision: 1 },
      { id: 'beside', principal: null, timeZone: 'UTC', verification: 'objects', revision: 1 },
    ]);
  });

  test('accepts tables that are newer than the program', async () => {
    const options = await emptyStorage(kind);
    {
      await using newer = await openReady(options);
      const applied = { name: '9999-of-a-newer-program', appliedAt: newer.now() };
      await newer.queries.insertInto('migrations').values(applied).execute();
      await newer.queries.schema.alterTable('jobs').addColumn('newer', 'text').execute();
    }

    await using older = await openReady(options);
    await older.queries.insertInto('idempotencyKeys').values(key('a')).execute();

    expect(await keysIn(older)).toEqual(['a']);
  });

  test('leaves no tables when a migration fails', async () => {
    const options = await emptyStorage(kind);
    {
      await using before = await openReady(options);
      // All but the last table: creating them again fails there.
      const { schema } = before.queries;
      for (const table of ['migrations', 'attempts', 'events', 'slices', 'jobs']) {
        await schema.dropTable(table).execute();
      }
      for (const table of ['idempotencyKeys', 'lines', 'slots', 'strays']) {
        await schema.dropTable(table).execute();
      }
    }

    await expect(migrateDatabase(options)).rejects.toThrow(/installation.* already exists/);
    await expect(migrateDatabase(options)).rejects.toThrow(/installation.* already exists/);
  });

  test('has a running clock in epoch milliseconds', async () => {
    await using database = await openReady(await emptyStorage(kind));
    const read = () =>
      database.queries.selectNoFrom(database.now().as('at')).executeTakeFirstOrThrow();

    const [before, first, second, after] = [Date.now(), await read(), await read(), Date.now()];

    expect(Number.isInteger(first.at)).toBe(true);
    expect(first.at).toBeGreaterThanOrEqual(before - 1);
    expect(second.at).toBeGreaterThanOrEqual(first.at);
    expect(second.at).toBeLessThanOrEqual(after + 1);
  });

  test('uses the clock of a test', async () => {
    let at = 1_714_521_600_000;
    await using database = await openReady({ ...(await emptyStorage(kind)), clock: () => at });
    const read = () =>
      database.queries.selectNoFrom(database.now().as('at')).executeTakeFirstOrThrow();

    const first = await read();
    at += 60_000;

    expect([first, await read()]).toEqual([{ at: 1_714_521_600_000 }, { at: 1_714_521_660_000 }]);
  });

  test('returns counters, counts and sums as numbers', async () => {
    await using database = await openReady(await emptyStorage(kind));
    const { queries } = database;
    await queries
      .insertInto('idempotencyKeys')
      .values([key('a'), key('b')])
      .execute();

    const found = await queries
      .selectFrom('idempotencyKeys')
      .select(({ fn }) => [
        fn.countAll().as('count'),
        fn.sum('createdAt').as('sum'),
        fn.max('createdAt').as('max'),
      ])
      .execute();

    expect(found).toEqual([{ count: 2, sum: 3_429_043_200_000, max: 1_714_521_600_000 }]);
  });

  test('commits all of a transaction or nothing', async () => {
    await using database = await openReady(await emptyStorage(kind));

    const kept = await database.transaction(async (queries) => {
      await queries.insertInto('idempotencyKeys').values(key('kept')).execute();
      return 'result';
    });
    const undone = database.transaction(async (queries) => {
      await queries.insertInto('idempotencyKeys').values(key('undone')).execute();
      throw new Error('changed my mind');
    });

    expect(kept).toBe('result');
    await expect(undone).rejects.toThrow('changed my mind');
    expect(await keysIn(database)).toEqual(['kept']);
  });

  test('passes on errors of a statement', async () => {
    await using database = await openReady(await emptyStorage(kind));
    const insert = () => database.queries.insertInto('idempotencyKeys').values(key('a')).execute();
    await insert();

    await expect(insert()).rejects.toThrow(/unique constraint/i);
    await expect(sql`select nonsense`.execute(database.queries)).rejects.toThrow(/nonsense/);
    await expect(
      database.queries
        .insertInto('attempts')
        .values({
          jobId: 'none',
          slice: 0,
          attempt: 1,
          target: '',
          marker: '',
          destinationPrefix: '',
          fence: 0,
          submittedAt: 0,
        })
        .execute(),
    ).rejects.toThrow(/foreign key constraint/i);
  });
});

test('in PostgreSQL the tables are created once by many processes that start at once', async () => {
  const options = { ...(await emptyStorage('postgres')), limits: patientLimits };

  const opened = await Promise.all(Array.from({ length: 5 }, () => openDatabase(options)));
  await Promise.all(opened.map(({ whenMigrated }) => whenMigrated));
  const [applied, installations] = await Promise.all(
    (['migrations', 'installation'] as const).map((table) =>
      opened[0]?.queries.selectFrom(table).selectAll().execute(),
    ),
  );
  for (const database of opened) await database[Symbol.asyncDispose]();

  expect([applied?.length, installations?.length]).toEqual([18, 1]);
});
