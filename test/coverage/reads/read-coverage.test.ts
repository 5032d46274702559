import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type CoverageEntry,
  type CoveragePosition,
  findSuperseded,
  readCoveredParts,
  readEntries,
} from '#coverage/reads/read-coverage.ts';
import type { Database } from '#database/database.ts';
import { commonPart, type Window } from '#time/window.ts';
import { emptyStorage } from '../../database/homes.ts';
import { openReady } from '../../ready-database.ts';
import { insertArchive } from '../insert-archive.ts';
import { insertCoverage } from '../insert-coverage.ts';

// Exports of some hours up to some months, so that some reach far into the window that is asked for.
const dayMs = 86_400_000;
const logGroup = { accountId: '123456789012', region: 'eu-west-1', logGroupName: '/app' };

const anyExport = fc.record({
  day: fc.integer({ min: 0, max: 120 }),
  days: fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: 3 }), weight: 2 },
    fc.constantFrom(30, 31, 32, 90),
  ),
  slice: fc.integer({ min: 0, max: 2 }),
  isVoid: fc.constantFrom<0 | 1>(0, 0, 0, 1),
  logGroupName: fc.constantFrom('/app', '/app', '/app', '/other'),
});
const anyWindow = fc
  .tuple(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 1, max: 60 }))
  .map(([day, days]) => ({ fromAt: day * dayMs, toAt: (day + days) * dayMs }));

describe.each(['sqlite', 'postgres'] as const)('the coverage, on %s', (kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await openReady(await emptyStorage(kind, afterAll));
  });
  afterAll(() => database[Symbol.asyncDispose]());
  const clear = () => database.queries.deleteFrom('coverage').execute();
  beforeEach(clear);

  async function readAll(window: Window, limit: number): Promise<CoverageEntry[]> {
    const all: CoverageEntry[] = [];
    for (let after: CoveragePosition | undefined; ; after = all.at(-1)) {
      const page = await readEntries(database.queries, logGroup, window, { after, limit });
      all.push(...page);
      if (page.length < limit) return all;
    }
  }

  test('has each export that meets a window once, in order, and its covered parts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyExport, { maxLength: 25 }),
        anyWindow,
        fc.integer({ min: 1, max: 7 }),
        async (exports, window, limit) => {
          await clear();
          const rows = exports.map(({ day, days, ...values }, index) => ({
            ...values,
            jobId: `job-${index % 20}-${values.slice}-${index}`,
            fromAt: day * dayMs,
            toAt: (day + days) * dayMs,
          }));
          if (rows.length > 0) await insertCoverage(database, rows);
          const meeting = rows.filter(
            (row) => row.logGroupName === '/app' && row.isVoid === 0 && commonPart(row, window),
          );

          const found = await readAll(window, limit);
          const parts = await readCoveredParts(database.queries, logGroup, window, 1_000);

          expect(found.map(({ jobId }) => jobId)).toEqual(
            meeting
              .toSorted(
                (one, other) => one.fromAt - other.fromAt || (one.jobId < other.jobId ? -1 : 1),
              )
              .map(({ jobId }) => jobId),
          );
          for (let at = window.fromAt; at < window.toAt; at += dayMs) {
            const isCovered = meeting.some((row) => row.fromAt <= at && at < row.toAt);
            const within = parts.filter((part) => part.fromAt <= at && at < part.toAt);
            expect(within).toHaveLength(isCovered ? 1 : 0);
          }
          for (const [index, part] of parts.entries()) {
            expect(commonPart(part, window)).toEqual(part);
            expect(part.toAt).toBeLessThan(parts[index + 1]?.fromAt ?? Infinity);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('orders short and long exports of the same start by job and slice', async () => {
    await insertCoverage(database, [
      { jobId: 'b', slice: 1, toAt: 40 * dayMs },
      { jobId: 'b', slice: 0 },
      { jobId: 'b', slice: 2 },
      { jobId: 'c', slice: 0 },
      { jobId: 'a', slice: 0, toAt: 50 * dayMs },
    ]);

    const entries = await readAll({ fromAt: 0, toAt: dayMs }, 100);

    expect(entries.map(({ jobId, slice }) => `${jobId}${slice}`)).toEqual([
      'a0',
      'b0',
      'b1',
      'b2',
      'c0',
    ]);
  });

  test('has at most as many parts as asked for', async () => {
    await insertCoverage(
      database,
      [0, 2, 4].map((day) => ({
        jobId: `job-${day}`,
        fromAt: day * dayMs,
        toAt: (day + 1) * dayMs,
      })),
    );

    const window = { fromAt: 0, toAt: 10 * dayMs };
    const parts = await readCoveredParts(database.queries, logGroup, window, 2);

    expect(parts).toEqual([
      { fromAt: 0, toAt: dayMs },
      { fromAt: 2 * dayMs, toAt: 3 * dayMs },
    ]);
  });

  test('has exports of a log group that was created again only from its creation on', async () => {
    const createdAt = dayMs + 1;
    const again = { logGroupName: '/app', incarnation: 2, createdAt };
    await insertArchive(database, { id: 'reborn', logGroups: [again] });
    const { accountId, region } = logGroup;
    await database.queries.updateTable('archives').set({ accountId, region }).execute();
    const ofArchive = { archiveId: 'reborn', incarnation: 2, exportedAt: 41 * dayMs };
    const ofOthers = { toAt: 2 * dayMs, exportedAt: 3 * dayMs };
    await insertCoverage(database, [
      { jobId: 'of-no-archive', fromAt: 1, ...ofOthers },
      { jobId: 'of-other-archive', fromAt: 1, ...ofOthers, archiveId: 'other', incarnation: 1 },
      { jobId: 'before', ...ofArchive, fromAt: 0, toAt: dayMs },
      { jobId: 'through', ...ofArchive, fromAt: dayMs, toAt: 2 * dayMs },
      { jobId: 'long', ...ofArchive, fromAt: 0, toAt: 40 * dayMs },
    ]);
    const read = async (window: Window) => ({
      parts: await readCoveredParts(database.queries, logGroup, window, 10),
      entries: (await readAll(window, 1)).map(({ jobId, fromAt, coveredFromAt }) => [
        jobId,
        fromAt,
        coveredFromAt,
      ]),
    });

    const earlier = await read({ fromAt: 0, toAt: createdAt });
    const whole = await read({ fromAt: 0, toAt: 3 * dayMs });

    expect(earlier).toEqual({ parts: [], entries: [] });
    expect(whole).toEqual({
      parts: [{ fromAt: createdAt, toAt: 3 * dayMs }],
      entries: [
        ['long', 0, createdAt],
        ['of-no-archive', 1, createdAt],
        ['of-other-archive', 1, createdAt],
        ['through', dayMs, createdAt],
      ],
    });
  });

  test('marks what later revisions of the same archive cover, also in several slices, as superseded', async () => {
    const week = { fromAt: 0, toAt: 7 * dayMs };
    const half = { fromAt: 0, toAt: 4 * dayMs };
    const rest = { fromAt: 4 * dayMs, toAt: 7 * dayMs };
    const of = (archiveId: string) => ({ archiveId, incarnation: 1 });
    await insertCoverage(database, [
      { jobId: 'a-first', ...of('a'), ...week },
      { jobId: 'a-second', ...of('a'), ...half, revision: 2 },
      { jobId: 'a-second', slice: 1, ...of('a'), ...rest, revision: 2 },
      { jobId: 'b-first', ...of('b'), ...week },
      { jobId: 'b-second', ...of('b'), ...half, revision: 2 },
      { jobId: 'c-first', ...of('c'), ...week },
      { jobId: 'c-void', ...of('c'), ...week, revision: 2, isVoid: 1 },
      { jobId: 'c-reborn', ...of('c'), incarnation: 2, ...week, revision: 2 },
      { jobId: 'no-archive', ...week },
    ]);

    const entries = await readAll(week, 100);
    const superseded = await findSuperseded(database.queries, logGroup, entries);

    expect([...superseded].map(({ jobId }) => jobId)).toEqual(['a-first']);
  });
});
