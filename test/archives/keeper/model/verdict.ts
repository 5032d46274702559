import type { Selectable } from 'kysely';
import type { ArchiveDefinition } from '#archives/archive.ts';
import { nextStart, startOf } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import type { ArchiveLogGroupRow, ArchiveRangeRow } from '#database/rows/archive-rows.ts';
import { type AwsModel, dayMs, type ModelExport, type ModelLogGroup } from './aws-model.ts';

const hourMs = 3_600_000;

/** A time range that a person gave up. */
export interface ModelWaiver {
  logGroupName: string;
  fromAt: number;
  toAt: number;
}

/** A time that was wanted beside the definition, or exported again. */
export interface ModelBackfill {
  fromAt: number;
  toAt: number;
  isAgain: boolean;
  /** When it was requested. */
  at: number;
}

/** What the ledger of an archive is compared with. */
interface Truth {
  database: Database;
  archiveId: string;
  definition: ArchiveDefinition;
  model: AwsModel;
  waivers: readonly ModelWaiver[];
  backfills: readonly ModelBackfill[];
  now: number;
  /** The most `refreshDays` that it ever had. */
  maxRefreshDays: number;
  /** How long after a deletion it may have been found. */
  foundWithinMs: number;
}

/** Finds what is wrong with the ledger of an archive: each line is one fault. */
export async function findFaults(truth: Truth): Promise<string[]> {
  const { database, archiveId, model } = truth;
  const groups = await database.queries
    .selectFrom('archiveLogGroups')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .execute();
  const ranges = await database.queries
    .selectFrom('archiveRanges')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .orderBy('fromAt')
    .execute();
  const jobs = await database.queries
    .selectFrom('jobs')
    .select(['id', 'incarnation'])
    .where('archiveId', '=', archiveId)
    .execute();
  // An export without objects can prove nothing: then its partition is exported again.
  const voids = await database.queries
    .selectFrom('coverage')
    .select('jobId')
    .where('isVoid', '=', 1)
    .execute();
  const voidJobs = new Set(voids.map(({ jobId }) => jobId));
  const incarnationOf = new Map(jobs.map((job) => [job.id, job.incarnation]));
  const faults: string[] = [];
  for (const group of groups) {
    const { logGroupName, incarnation, createdAt } = group;
    const real = model.groups.find(
      (each) => each.logGroupName === logGroupName && each.createdAt === createdAt,
    );
    const name = `${logGroupName} #${incarnation}`;
    if (!real) {
      faults.push(`${name} never was`);
      continue;
    }
    const own = ranges.filter(
      (each) => each.logGroupName === logGroupName && each.incarnation === incarnation,
    );
    faults.push(
      ...findWrongTimes(truth, group, real, own).map((fault) => `${name}: ${fault}`),
      ...findWrongRanges(truth, group, real, own).map((fault) => `${name}: ${fault}`),
      ...findRepeated(
        truth,
        // An export for an earlier incarnation does not count, even if the log group had been replaced by then.
        model.exports.filter(
          ({ of, jobId }) =>
            of === real && incarnationOf.get(jobId) === incarnation && !voidJobs.has(jobId),
        ),
      ).map((fault) => `${name}: ${fault}`),
    );
  }
  return faults;
}

const show = ({ fromAt, toAt }: { fromAt: number; toAt: number }) =>
  `${new Date(fromAt).toISOString()} – ${new Date(toAt).toISOString()}`;

type Range = Selectable<ArchiveRangeRow>;

/** Wanted time that is due and in no range or in two. */
function findWrongTimes(
  { definition, now, backfills, foundWithinMs }: Truth,
  group: Selectable<ArchiveLogGroupRow>,
  real: ModelLogGroup,
  ranges: readonly Range[],
): string[] {
  const { partitionBy, fromAt, toAt } = definition;
  const bornAt = startOf(real.createdAt, partitionBy);
  const dueAt = real.goneAt ?? startOf(now - 12 * hourMs, partitionBy);
  const faults: string[] = [];
  if ((real.goneAt === undefined) !== (group.goneAt === null))
    faults.push('wrong about its deletion');
  if (real.goneAt !== undefined && group.goneAt !== null) {
    const late = group.goneAt - real.goneAt;
    if (late < 0 || late > foundWithinMs) faults.push(`deleted ${late} ms before it was found`);
  }
  const windows = [
    { fromAt, toAt: toAt ?? Infinity },
    ...backfills.filter(({ isAgain }) => !isAgain),
  ];
  for (const window of windows) {
    let at = Math.max(window.fromAt, bornAt);
    const end = Math.min(window.toAt, dueAt);
    while (at < end) {
      const here = ranges.filter((range) => range.fromAt <= at && at < range.toAt);
      const next = Math.min(
        end,
        ...here.map((range) => range.toAt),
        ...ranges.map((range) => range.fromAt).filter((from) => from > at),
      );
      if (here.length !== 1)
        faults.push(`${show({ fromAt: at, toAt: next })} is in ${here.length} ranges`);
      at = next;
    }
  }
  return faults;
}

/** Ranges that say what is not true. */
function findWrongRanges(
  truth: Truth,
  group: Selectable<ArchiveLogGroupRow>,
  real: ModelLogGroup,
  ranges: readonly Range[],
): string[] {
  return ranges.flatMap((range) => {
    const fault = faultOf(truth, group, real, range);
    return fault === undefined
      ? []
      : [`${show(range)} is ${range.state} ${range.cause ?? ''}, but ${fault}`];
  });
}

function faultOf(
  truth: Truth,
  group: Selectable<ArchiveLogGroupRow>,
  real: ModelLogGroup,
  range: Range,
): string | undefined {
  if (range.state === 'covered') {
    if (isRefreshDue(truth, range)) return 'late log events are missing';
    return isCovered(truth, real, range) ? undefined : 'no export has it';
  }
  if (range.state === 'lost') return isLost(truth, group, real, range) ? undefined : 'it is not';
  const isWaived = truth.waivers.some(
    ({ logGroupName, fromAt, toAt }) =>
      logGroupName === real.logGroupName && fromAt <= range.fromAt && toAt >= range.toAt,
  );
  return isWaived ? undefined : 'nobody waived it';
}

/** Whether exports of this very log group have all of a time, each of them after it settled. */
function isCovered({ model }: Truth, real: ModelLogGroup, { fromAt, toAt }: Range): boolean {
  const own = model.exports.filter(
    (each) => each.of === real && each.sentAt >= each.toAt + 12 * hourMs,
  );
  for (let at = fromAt; at < toAt; ) {
    const covering = own.filter(
      (each) => Math.max(each.fromAt, each.wholeFrom) <= at && at < each.toAt,
    );
    if (covering.length === 0) return false;
    at = Math.max(...covering.map((each) => each.toAt));
  }
  return true;
}

function isRefreshDue({ definition, now }: Truth, { again, fromAt }: Range): boolean {
  if (again === 'backfill') return true;
  const end = nextStart(fromAt, definition.partitionBy);
  return again !== null && end + definition.refreshDays * dayMs + dayMs < now;
}

/** Whether a time could not be exported at some instant, for the cause of the range. */
function isLost(
  { now, foundWithinMs }: Truth,
  group: Selectable<ArchiveLogGroupRow>,
  real: ModelLogGroup,
  { toAt, cause }: Range,
): boolean {
  if (cause === 'log-group-deleted')
    return (
      real.goneAt !== undefined &&
      toAt <= (group.goneAt ?? 0) &&
      toAt <= real.goneAt + foundWithinMs
    );
  const end = real.goneAt ?? now;
  return real.retentions.some(({ days }, index) => {
    // Each retention is the worst at the end of its time.
    const until = real.retentions[index + 1]?.at ?? end;
    const lateMs = real.goneAt === undefined ? hourMs / 2 : foundWithinMs;
    return days !== null && toAt <= Math.min(until, end) - days * dayMs + lateMs;
  });
}

/** Exports of the same time without a reason. */
function findRepeated(
  { maxRefreshDays, backfills }: Truth,
  exports: readonly ModelExport[],
): string[] {
  const own = exports.toSorted((one, other) => one.sentAt - other.sentAt);
  return own.flatMap((again, index) => {
    const earlier = own
      .slice(0, index)
      .findLast((each) => each.fromAt < again.toAt && each.toAt > again.fromAt);
    if (!earlier) return [];
    if (again.revision <= earlier.revision)
      return [`revision ${again.revision} of ${show(again)} came twice`];
    const isRefresh = earlier.sentAt < earlier.toAt + maxRefreshDays * dayMs;
    // It exports what had expired of the earlier one, because the retention is longer now.
    const isCut = again.fromAt < earlier.wholeFrom && again.toAt <= earlier.wholeFrom + hourMs;
    const isAsked = backfills.some(
      (each) =>
        each.isAgain &&
        each.fromAt < again.toAt &&
        each.toAt > again.fromAt &&
        each.at <= again.sentAt,
    );
    return isRefresh || isCut || isAsked
      ? []
      : [
          `${show(again)} was exported twice for no reason: ${new Date(earlier.sentAt).toISOString()} r${earlier.revision}, ${new Date(again.sentAt).toISOString()} r${again.revision}`,
        ];
  });
}
