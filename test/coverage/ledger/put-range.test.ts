import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  changeRanges,
  clearRange,
  type LedgerLogGroup,
  putRange,
} from '#coverage/ledger/put-range.ts';
import type { ChangeOfFacts, LedgerRange, RangeFacts } from '#coverage/ledger/splice.ts';
import { countUnits, type PartitionBy } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import { partsOutside } from '#time/window.ts';
import { emptyStorage } from '../../database/homes.ts';
import { openReady } from '../../ready-database.ts';
import { insertArchive, readLedger } from '../insert-archive.ts';

const hourMs = 3_600_000;
const covered: RangeFacts = { state: 'covered', isEmpty: 0, again: null, cause: null };
const empty: RangeFacts = { ...covered, isEmpty: 1 };
const lost: RangeFacts = { state: 'lost', isEmpty: 0, again: null, cause: 'retention' };
const waived: RangeFacts = { state: 'waived', isEmpty: 0, again: null, cause: '1' };

const changes = fc.array(
  fc.record({
    hour: fc.integer({ min: 0, max: 60 }),
    hours: fc.integer({ min: 1, max: 20 }),
    change: fc.constantFrom<ChangeOfFacts>(
      () => covered,
      () => empty,
      () => null,
      (known) => known ?? lost,
      (known) => (known?.state === 'covered' ? known : waived),
      (known) => (known?.state === 'covered' ? { ...known, again: 'backfill' } : known),
    ),
  }),
  { minLength: 1, maxLength: 25 },
);

describe.each(['sqlite', 'postgres'] as const)('the ledger, on %s', (kind) => {
  let database: Database;
  let other: Database;
  beforeAll(async () => {
    const storage = await emptyStorage(kind, afterAll);
    database = await openReady(storage);
    other = kind === 'postgres' ? await openReady(storage) : database;
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    if (other !== database) await other[Symbol.asyncDispose]();
  });
  const clear = async () => {
    for (const table of ['archiveRanges', 'archiveLogGroups', 'archives'] as const)
      await database.queries.deleteFrom(table).execute();
  };
  beforeEach(clear);

  const ofArchive = (partitionBy: PartitionBy = 'hour'): LedgerLogGroup => ({
    archiveId: 'archive',
    logGroupName: '/app',
    incarnation: 1,
    partitionBy,
  });
  const readLogGroup = () =>
    database.queries
      .selectFrom('archiveLogGroups')
      .select(['covered', 'empty', 'lost', 'waived', 'doneUntilAt'])
      .where('logGroupName', '=', '/app')
      .executeTakeFirstOrThrow();
  const rangesOf = async (logGroupName: string): Promise<LedgerRange[]> => {
    const rows = await readLedger(database);
    return rows
      .filter((row) => row.logGroupName === logGroupName)
      .map(({ archiveId: _id, logGroupName: _name, incarnation: _number, ...range }) => range);
  };

  test('has the ranges, the counts and the end of the time done that each change leads to', async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.constantFrom('hour', 'day'), async (changes, partitionBy) => {
        await clear();
        await insertArchive(database, {
          logGroups: [{ logGroupName: '/app', doneUntilAt: 0 }, { logGroupName: '/other' }],
        });
        const model: (RangeFacts | null)[] = Array(80).fill(null);
        for (const { hour, hours, change } of changes) {
          for (let at = hour; at < hour + hours; at += 1) model[at] = change(model[at] ?? null);
          const window = { fromAt: hour * hourMs, toAt: (hour + hours) * hourMs };
          await database.transaction((queries) =>
            changeRanges(queries, ofArchive(partitionBy), window, change),
          );
        }

        const ranges = await rangesOf('/app');
        const hoursOf = ({ fromAt, toAt }: LedgerRange) =>
          Array.from({ length: (toAt - fromAt) / hourMs }, (_, n) => fromAt / hourMs + n);
        const found: (RangeFacts | null)[] = Array(80).fill(null);
        for (const { fromAt, toAt, ...facts } of ranges)
          for (const hour of hoursOf({ fromAt, toAt, ...facts })) {
            expect(found[hour]).toBeNull();
            found[hour] = facts;
          }
        expect(found).toEqual(model);
        const partitions = (isCounted: (range: LedgerRange) => boolean) =>
          ranges.filter(isCounted).reduce((sum, range) => sum + countUnits(range, partitionBy), 0);
        const { doneUntilAt, ...counts } = await readLogGroup();
        expect(counts).toEqual({
          covered: partitions(({ state }) => state === 'covered'),
          empty: partitions(({ isEmpty }) => isEmpty === 1),
          lost: partitions(({ state }) => state === 'lost'),
          waived: partitions(({ state }) => state === 'waived'),
        });
        expect([...partsOutside({ fromAt: 0, toAt: doneUntilAt ?? -1 }, ranges)]).toEqual([]);
        expect(doneUntilAt).toBeGreaterThanOrEqual(0);
        expect(await rangesOf('/other')).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test('moves the end of the time done with ranges that follow it, and back to a cleared one', async () => {
    await insertArchive(database, { logGroups: [{ logGroupName: '/app', doneUntilAt: 0 }] });
    const put = (from: number, to: number) =>
      database.transaction((queries) =>
        putRange(queries, ofArchive(), { fromAt: from * hourMs, toAt: to * hourMs, ...covered }),
      );
    const done = async () => ((await readLogGroup()).doneUntilAt ?? -1) / hourMs;

    await put(2, 4);
    expect(await done()).toBe(0);
    await put(0, 2);
    expect(await done()).toBe(4);
    await database.transaction((queries) =>
      clearRange(queries, ofArchive(), { fromAt: 3 * hourMs, toAt: 9 * hourMs }),
    );
    expect(await done()).toBe(3);
  });

  test('leaves what it does not know unknown', async () => {
    await insertArchive(database);

    await database.transaction(async (queries) => {
      await putRange(queries, ofArchive(), { fromAt: 0, toAt: hourMs, ...covered });
      await putRange(
        queries,
        { ...ofArchive(), logGroupName: '/gone' },
        { fromAt: 0, toAt: hourMs, ...covered },
      );
    });

    expect((await readLogGroup()).doneUntilAt).toBeNull();
    expect(await readLedger(database)).toHaveLength(1);
  });

  test('merges ranges that two replicas write at the same time', async () => {
    await insertArchive(database);
    const hours = Array.from({ length: 24 }, (_, hour) => (hour * 7) % 24);

    await Promise.all(
      hours.map((hour, index) =>
        (index % 2 === 0 ? database : other).transaction((queries) =>
          putRange(queries, ofArchive(), {
            fromAt: hour * hourMs,
            toAt: (hour + 1) * hourMs,
            ...covered,
          }),
        ),
      ),
    );

    expect(await rangesOf('/app')).toEqual([{ fromAt: 0, toAt: 24 * hourMs, ...covered }]);
    expect(await readLogGroup()).toMatchObject({ covered: 24 });
  });

  test('has no range of a transaction that fails', async () => {
    await insertArchive(database);

    const failed = database.transaction(async (queries) => {
      await putRange(queries, ofArchive(), { fromAt: 0, toAt: hourMs, ...covered });
      throw new Error('killed');
    });

    await expect(failed).rejects.toThrow('killed');
    expect(await readLedger(database)).toEqual([]);
    expect(await readLogGroup()).toMatchObject({ covered: 0 });
  });
});
