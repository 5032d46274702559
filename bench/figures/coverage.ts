import { type RawBuilder, sql } from 'kysely';

import { makeReadArchiveGrid } from '#archives/operations/read-archive-grid.ts';
import { findArchive, type StoredArchive } from '#archives/store/reads/read-archives.ts';
import { type CoverageQuery, readCoveragePage } from '#archives/store/reads/read-coverage-page.ts';
import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { findSuperseded, readCoveredParts, readEntries } from '#coverage/reads/read-coverage.ts';
import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { insertArchive } from '../../test/coverage/insert-archive.ts';
import { patientLimits } from '../../test/ready-database.ts';
import { makeFolder } from '../folder.ts';
import type { Scale, World } from '../scale.ts';
import { storageBackends } from './jobs/storage-backends.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const start = Date.UTC(2024, 0);
const logGroupsAtOnce = 50;
const fillLimits = { ...patientLimits, statementMs: 3_600_000 };

/** The answers about the coverage of a year, of one archive by day and one by hour. */
export async function measureCoverage(world: World, scale: Scale): Promise<string[]> {
  const lines: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    const { databaseUrl } = await openStorage(world);
    const storage = { dataDir: makeFolder(), ...(databaseUrl !== undefined && { databaseUrl }) };
    await using database = await openDatabase({ ...storage, limits: fillLimits });
    await database.whenMigrated;
    const beganAt = performance.now();
    const rows = await fill(database, scale);
    const fillSeconds = (performance.now() - beganAt) / 1_000;
    lines.push(
      `${`coverage, ${name}`.padEnd(21)}${rows} rows, ${scale.coverage.logGroups} log groups of ${scale.coverage.days} days, filled in ${fillSeconds.toFixed(0)} s`,
    );
    for (const archiveId of ['by-day', 'by-hour'])
      lines.push(...(await measureArchive(database, archiveId, scale)));
    lines.push(await measureLogGroup(database, scale));
  }
  return lines;
}

async function measureArchive(
  database: Database,
  archiveId: string,
  { rounds, coverage: { logGroups, days } }: Scale,
): Promise<string[]> {
  const archive = (await findArchive(database.queries, archiveId)) as StoredArchive;
  const whole = { fromAt: 0, toAt: Infinity };
  const behind = { logGroupName: nameOf(Math.floor(logGroups * 0.9)), incarnation: 1 };
  const at = start + Math.floor(days / 2) * dayMs;
  const read = (query: Partial<CoverageQuery>) => () =>
    readCoveragePage(database, archive, { window: whole, limit: 100, from: undefined, ...query });
  const readGrid = makeReadArchiveGrid(database, {
    findPermitted: async (_request, _action, _archive, names) => new Set(names),
  });
  const measured = {
    'first page': await median(rounds, read({})),
    'far behind': await median(rounds, read({ from: { ...behind, at } })),
    'state=lost': await median(rounds, read({ state: 'lost' })),
    'state=missing': await median(rounds, read({ state: 'missing' })),
    'one month': await median(rounds, read({ window: { fromAt: at, toAt: at + 31 * dayMs } })),
    grid: await median(rounds, () =>
      readGrid({ principal: { id: 'anonymous' } } as CallerRequest, archive, {
        fromGroup: Math.floor(logGroups / 2),
        fromAt: at,
        toAt: at + 31 * dayMs,
      }),
    ),
  };
  const texts = Object.entries(measured).map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`);
  return [`  ${archiveId.padEnd(19)}${texts.join(', ')} (goal ≤ 200)`];
}

async function measureLogGroup(
  { queries }: Database,
  { rounds, coverage }: Scale,
): Promise<string> {
  const logGroupName = nameOf(Math.floor(coverage.logGroups / 2));
  const logGroup = { accountId: '123456789012', region: 'eu-west-1', logGroupName };
  const read = (days: number) => async () => {
    const toAt = start + coverage.days * dayMs;
    const window = { fromAt: toAt - days * dayMs, toAt };
    await readCoveredParts(queries, logGroup, window, 100);
    const rows = await readEntries(queries, logGroup, window, { after: undefined, limit: 101 });
    await findSuperseded(queries, logGroup, rows);
  };
  const [hours, year] = [await median(rounds, read(1 / 24)), await median(rounds, read(366))];
  return `  GET /coverage      an hour ${hours.toFixed(0)} ms, a year ${year.toFixed(0)} ms (goal ≤ 200)`;
}

async function median(rounds: number, act: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const beganAt = performance.now();
    await act();
    tookMs.push(performance.now() - beganAt);
  }
  return tookMs.sort((one, other) => one - other)[Math.floor(rounds / 2)] ?? 0;
}

/** Fills two archives, and the coverage of the one by hour. Returns how many rows the coverage has. */
async function fill(database: Database, scale: Scale): Promise<number> {
  const { logGroups, days } = scale.coverage;
  const groups = Array.from({ length: logGroups }, (_, index) => ({ logGroupName: nameOf(index) }));
  for (const partitionBy of ['day', 'hour'] as const)
    await insertArchive(database, {
      id: `by-${partitionBy}`,
      definition: { partitionBy, fromAt: start },
      logGroups: groups.map((group) => ({ ...group, createdAt: start })),
    });
  // The time ranges alternate between exports with log events and without, so that none are merged.
  for (let first = 0; first < logGroups; first += logGroupsAtOnce) {
    const count = Math.min(logGroupsAtOnce, logGroups - first);
    await insertRanges(database, 'by-day', { first, count }, { periods: days, periodMs: dayMs });
    const halfDays = { periods: days * 2, periodMs: dayMs / 2 };
    await insertRanges(database, 'by-hour', { first, count }, halfDays);
    await insertCoverage(database, { first, count }, days * 24);
  }
  // One range of each archive is lost.
  await sql`update archive_ranges set state = 'lost', is_empty = 0, cause = 'retention'
    where log_group_name = ${nameOf(logGroups - 1)} and from_at = ${start}`.execute(
    database.queries,
  );
  if (database.kind === 'postgres') await sql`analyze`.execute(database.queries);
  await database.checkpoint();
  return logGroups * days * 24;
}

const nameOf = (index: number) => `/bench/service-${String(index).padStart(4, '0')}/application`;

interface Part {
  first: number;
  count: number;
}

/** Two numbers in all combinations: n of a log group, and i of a period. */
const numbers = ({ first, count }: Part, periods: number): RawBuilder<unknown> => sql`
  with recursive log_groups(n) as (
    select cast(${first} as bigint) union all
    select n + 1 from log_groups where n + 1 < cast(${first + count} as bigint)
  ), periods(i) as (
    select cast(0 as bigint) union all
    select i + 1 from periods where i + 1 < cast(${periods} as bigint)
  )`;
const name = sql`'/bench/service-' || substr('000' || cast(n as text), length(cast(n as text))) || '/application'`;

async function insertRanges(
  { queries }: Database,
  archiveId: string,
  part: Part,
  { periods, periodMs }: { periods: number; periodMs: number },
): Promise<void> {
  await sql`
    insert into archive_ranges (archive_id, log_group_name, incarnation, from_at, to_at, state, is_empty)
    ${numbers(part, periods)}
    select cast(${archiveId} as text), ${name}, 1,
      cast(${start} as bigint) + i * cast(${periodMs} as bigint),
      cast(${start} as bigint) + (i + 1) * cast(${periodMs} as bigint), 'covered', i % 2
    from log_groups cross join periods`.execute(queries);
}

async function insertCoverage({ queries }: Database, part: Part, periods: number): Promise<void> {
  await sql`
    insert into coverage (job_id, slice, attempt, target, account_id, region, log_group_name, from_at,
      to_at, destination, destination_prefix, task_id, method, is_empty, objects, bytes, manifest_key,
      manifest_sha256, exported_at, covered_at, archive_id, incarnation, revision, is_void)
    ${numbers(part, periods)}
    select 'job-' || n || '-' || i, 0, 1, 'default', '123456789012', 'eu-west-1', ${name},
      cast(${start} as bigint) + i * ${sql.lit(hourMs)},
      cast(${start} as bigint) + (i + 1) * ${sql.lit(hourMs)}, 'demo-log-archive',
      '123456789012/eu-west-1/service-' || n || '/' || i || '/r1/1', 'task-' || n || '-' || i, 'objects',
      0, 3, 100000, 'service-' || n || '/' || i || '/r1/1/_manifest-task-' || n || '-' || i || '.json',
      '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 0, 0, 'by-hour', 1, 1, 0
    from log_groups cross join periods`.execute(queries);
}
