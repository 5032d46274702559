import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { PartitionState } from '#archives/archive.ts';
import { isContinued, type PartitionRun, runsOf } from '#archives/partitions/runs.ts';
import { makeWantedOf } from '#archives/partitions/wanted.ts';
import { findArchive, type StoredArchive } from '#archives/store/reads/read-archives.ts';
import { type LogGroupRun, readCoveragePage } from '#archives/store/reads/read-coverage-page.ts';
import type { LedgerPosition } from '#archives/store/reads/read-ledger-window.ts';
import { putRange } from '#coverage/ledger/put-range.ts';
import type { RangeFacts } from '#coverage/ledger/splice.ts';
import { partitionBys, splitByUnit } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import { commonPart, type Window } from '#time/window.ts';
import { insertArchive, readLedger } from '../../../coverage/insert-archive.ts';
import { emptyStorage } from '../../../database/homes.ts';
import { insertJob } from '../../../export-jobs/insert-rows.ts';
import { openReady } from '../../../ready-database.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const start = Date.parse('2024-05-01T00:00:00Z');
const days = 12;
const now = start + days * dayMs - 5 * hourMs;
const at = (hour: number) => start + hour * hourMs;
const covered: RangeFacts = { state: 'covered', isEmpty: 0, again: null, cause: null };

const logGroups = [
  { logGroupName: '/a', createdAt: start, incarnation: 1, goneAt: at(100) },
  { logGroupName: '/a', createdAt: at(110), incarnation: 2, retentionDays: 7 },
  { logGroupName: '/b', createdAt: at(30), retentionDays: 30 },
  { logGroupName: '/c/d', createdAt: start },
  { logGroupName: '/c/e', createdAt: start },
];

const anyState = fc.constantFrom<PartitionState | undefined>(
  undefined,
  'open',
  'waiting',
  'running',
  'covered',
  'missing',
  'atRisk',
  'lost',
  'waived',
);
const anyHour = fc.integer({ min: 0, max: days * 24 - 1 });
const anyLedger = fc.record({
  partitionBy: fc.constantFrom(...partitionBys),
  ranges: fc.array(
    fc.record({
      group: fc.nat(logGroups.length - 1),
      hour: anyHour,
      hours: fc.integer({ min: 1, max: 60 }),
      facts: fc.constantFrom<RangeFacts>(
        covered,
        { ...covered, isEmpty: 1 },
        { ...covered, again: 'refresh' },
        { ...covered, state: 'lost', cause: 'retention' },
        { ...covered, state: 'waived', cause: '1' },
      ),
    }),
    { maxLength: 25 },
  ),
  work: fc.array(
    fc.record({
      group: fc.nat(logGroups.length - 1),
      hour: anyHour,
      work: fc.constantFrom(
        { state: 'queued' as const, jobId: 'waiting-job', problem: null },
        { state: 'queued' as const, jobId: 'running-job', problem: null },
        { state: 'missing' as const, jobId: null, problem: '{"type":"x"}' },
      ),
    }),
    { maxLength: 8 },
  ),
});
const anyQuery = fc.record({
  logGroupName: fc.constantFrom(undefined, undefined, '/a', '/c/e', '/none'),
  state: anyState,
  window: fc.oneof(
    fc.constant({ fromAt: 0, toAt: Infinity }),
    fc
      .tuple(anyHour, fc.integer({ min: 1, max: 100 }))
      .map(([hour, hours]) => ({ fromAt: at(hour), toAt: at(hour + hours) })),
  ),
  limit: fc.integer({ min: 1, max: 9 }),
});

describe.each(['sqlite', 'postgres'] as const)('the coverage of an archive, on %s', (kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await openReady({ ...(await emptyStorage(kind, afterAll)), clock: () => now });
    await insertJob(database, { id: 'waiting-job', slices: [{ state: 'waiting' }] });
    await insertJob(database, {
      id: 'running-job',
      slices: [{ state: 'split' }, { state: 'running' }],
    });
  });
  afterAll(() => database[Symbol.asyncDispose]());
  const clear = async () => {
    for (const table of ['archivePartitions', 'archiveRanges', 'archiveLogGroups'] as const)
      await database.queries.deleteFrom(table).execute();
    await database.queries.deleteFrom('archives').execute();
  };
  beforeEach(clear);

  async function fill({
    partitionBy,
    ranges,
    work,
  }: typeof anyLedger extends fc.Arbitrary<infer T> ? T : never): Promise<StoredArchive> {
    await clear();
    await insertArchive(database, { definition: { partitionBy, fromAt: start }, logGroups });
    const keyOf = (group: number) => {
      const { logGroupName = '', incarnation = 1 } = logGroups[group] ?? {};
      return { archiveId: 'archive', logGroupName, incarnation };
    };
    await database.transaction(async (queries) => {
      for (const { group, hour, hours, facts } of ranges)
        await putRange(
          queries,
          { ...keyOf(group), partitionBy },
          { fromAt: at(hour), toAt: at(hour + hours), ...facts },
        );
      const taken: (Window & { group: number })[] = [];
      for (const row of work) {
        const [partition] = splitByUnit({ fromAt: at(row.hour), toAt: at(2_000) }, partitionBy);
        const isTaken = taken.some(
          (other) => other.group === row.group && partition && commonPart(other, partition),
        );
        if (!partition || isTaken) continue;
        taken.push({ ...partition, group: row.group });
        await queries
          .insertInto('archivePartitions')
          .values({ ...keyOf(row.group), ...partition, ...row.work, revision: 1 })
          .execute();
      }
    });
    return (await findArchive(database.queries, 'archive')) as StoredArchive;
  }

  /** The runs of all log groups, from all rows at once. */
  async function allRuns(archive: StoredArchive, window: Window): Promise<LogGroupRun[]> {
    const { queries } = database;
    const { definition, endedAt } = archive;
    const ledger = await readLedger(database);
    const rows = await queries
      .selectFrom('archivePartitions')
      .selectAll()
      .orderBy('fromAt')
      .execute();
    return logGroups.flatMap(({ logGroupName, createdAt, ...given }) => {
      const { incarnation = 1, goneAt = null, retentionDays = null } = given;
      const isOwn = (row: { logGroupName: string; incarnation: number }) =>
        row.logGroupName === logGroupName && row.incarnation === incarnation;
      const facts = {
        ...definition,
        retentionDays,
        endedAt,
        now,
        wanted: makeWantedOf(definition, [])({ logGroupName, createdAt, goneAt }),
        ranges: ledger.filter(isOwn),
        work: rows.filter(isOwn).map((row) => ({ ...row, isRunning: row.jobId === 'running-job' })),
      };
      const runs: PartitionRun[] = [...runsOf(facts, window)];
      return runs.map((run) => ({ logGroupName, incarnation, ...run }));
    });
  }

  test('is the same on pages of any size, read in parts of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyLedger,
        anyQuery,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (ledger, { logGroupName, state, window, limit }, maxLogGroups, maxPieces) => {
          const archive = await fill(ledger);
          const expected = (await allRuns(archive, window)).filter(
            (run) =>
              run.logGroupName === (logGroupName ?? run.logGroupName) &&
              run.state === (state ?? run.state),
          );

          const found: LogGroupRun[] = [];
          let from: LedgerPosition | undefined;
          let pages = 0;
          do {
            pages += 1;
            expect(pages).toBeLessThan(200);
            const query = { logGroupName, state, window, limit, from };
            const bounds = { logGroups: 3, pieces: 10, maxLogGroups, maxPieces };
            const page = await readCoveragePage(database, archive, query, bounds);
            expect(page.runs.length).toBeLessThanOrEqual(limit);
            const [first] = page.runs;
            const last = found.at(-1);
            const isCut = first && last?.logGroupName === first.logGroupName;
            if (isCut && isContinued(last, first)) last.toAt = page.runs.shift()?.toAt ?? 0;
            found.push(...page.runs);
            from = page.next;
          } while (from);

          expect(found).toEqual(expected);
        },
      ),
      { numRuns: kind === 'sqlite' ? 60 : 12 },
    );
  });

  test('is missing where it was not covered when the archive was ended', async () => {
    await insertArchive(database, {
      definition: { partitionBy: 'day', fromAt: start },
      endedAt: at(60),
      logGroups: [{ logGroupName: '/a', createdAt: start }],
    });
    const archive = (await findArchive(database.queries, 'archive')) as StoredArchive;

    const query = { window: { fromAt: 0, toAt: Infinity }, limit: 10, from: undefined };
    const { runs } = await readCoveragePage(database, archive, query);

    expect(runs).toEqual([
      { logGroupName: '/a', incarnation: 1, state: 'missing', fromAt: start, toAt: at(48) },
    ]);
  });
});
