import type { Evidence, Row, Violation } from './checker.ts';

/** An archive that was accepted, and what it must cover. Its partitions are hours. */
export interface WantedArchive {
  archiveId: string;
  logGroupNames: readonly string[];
  fromAt: number;
  toAt: number;
}

/** The ledger of the archives, beside the evidence of their jobs. */
export interface ArchiveEvidence
  extends Pick<Evidence, 'jobs' | 'slices' | 'attempts' | 'tasks' | 'verifications'> {
  wanted: readonly WantedArchive[];
  logGroups: Row<'archiveLogGroups'>[];
  ranges: Row<'archiveRanges'>[];
  /** The partitions in the queue, and those that failed. */
  work: Row<'archivePartitions'>[];
  backfills: Row<'archiveBackfills'>[];
  coverage: Row<'coverage'>[];
}

/** The length of a partition. */
export const hourMs = 3_600_000;

/**
 * Checks archives that have come to rest. The newest revision covers every wanted hour exactly once, the ledger
 * agrees with the exports, and no hour is exported again without a backfill.
 */
export function checkArchives(evidence: ArchiveEvidence): Violation[] {
  return [
    ...evidence.wanted.flatMap((wanted) => checkArchive(wanted, evidence)),
    ...checkCoverageRows(evidence),
    ...checkPrefixes(evidence),
  ];
}

const lost = (text: string): Violation => ({ invariant: 'INV16', kind: 'lost', text });
const duplicated = (text: string): Violation => ({ invariant: 'INV17', kind: 'duplicated', text });
const unlawful = (text: string): Violation => ({ invariant: 'INV18', kind: 'unlawful', text });

function checkArchive(wanted: WantedArchive, evidence: ArchiveEvidence): Violation[] {
  const { archiveId, logGroupNames, fromAt, toAt } = wanted;
  const ofArchive = (row: { archiveId: string | null }) => row.archiveId === archiveId;
  const work = evidence.work.filter(ofArchive);
  const hours = Array.from({ length: (toAt - fromAt) / hourMs }, (_, n) => fromAt + n * hourMs);
  return [
    ...work.map((row) =>
      lost(`${nameOf(archiveId, row)} is still ${row.state}: ${row.problem ?? 'no problem'}`),
    ),
    ...logGroupNames.flatMap((logGroupName) => [
      ...checkLedger(wanted, logGroupName, evidence),
      ...hours.flatMap((hour) => checkHour(archiveId, { logGroupName, fromAt: hour }, evidence)),
    ]),
  ];
}

const nameOf = (archiveId: string, { logGroupName, fromAt }: Hour) =>
  `archive ${archiveId}: ${logGroupName} from ${new Date(fromAt).toISOString()}`;

/** An hour of a log group. */
interface Hour {
  logGroupName: string;
  fromAt: number;
}

/** The ledger has one log group, covered from the start to the end, and counts each hour. */
function checkLedger(
  { archiveId, fromAt, toAt }: WantedArchive,
  logGroupName: string,
  { logGroups, ranges }: ArchiveEvidence,
): Violation[] {
  const isOfLogGroup = (row: { archiveId: string; logGroupName: string }) =>
    row.archiveId === archiveId && row.logGroupName === logGroupName;
  const [row, ...others] = logGroups.filter(isOfLogGroup);
  const name = `archive ${archiveId}: ${logGroupName}`;
  if (!row || others.length > 0) return [lost(`${name} has ${others.length + 1} incarnations`)];
  const known = ranges
    .filter(isOfLogGroup)
    .toSorted((one, other) => one.fromAt - other.fromAt)
    .map((range) => ({ ...range, again: range.again ?? 'never' }));
  const isCovered =
    isUnion(known, { fromAt, toAt }) &&
    known.every(({ state, again }) => state === 'covered' && again === 'never');
  const hours = (toAt - fromAt) / hourMs;
  return [
    ...(isCovered ? [] : [lost(`${name} has the ranges ${JSON.stringify(known)}`)]),
    ...(row.covered === hours && row.lost === 0 && row.waived === 0
      ? []
      : [unlawful(`${name} counts ${row.covered} of ${hours} hours as covered`)]),
  ];
}

/** Whether windows, in the order of time, follow each other from the start of a window to its end. */
function isUnion(
  windows: readonly { fromAt: number; toAt: number }[],
  { fromAt, toAt }: { fromAt: number; toAt: number },
): boolean {
  const ends = [fromAt, ...windows.map((window) => window.toAt)];
  return ends.at(-1) === toAt && windows.every((window, index) => window.fromAt === ends[index]);
}

/** Each revision of an hour is one job, whose exports are the hour. There are as many as were wanted. */
function checkHour(
  archiveId: string,
  hour: Hour,
  { coverage, backfills }: ArchiveEvidence,
): Violation[] {
  const { logGroupName, fromAt } = hour;
  const toAt = fromAt + hourMs;
  const name = nameOf(archiveId, hour);
  const exports = coverage.filter(
    (row) =>
      row.archiveId === archiveId &&
      row.logGroupName === logGroupName &&
      row.fromAt < toAt &&
      row.toAt > fromAt,
  );
  const revisions = [...Map.groupBy(exports, ({ revision }) => revision)];
  const again = backfills.filter(
    (row) =>
      row.archiveId === archiveId &&
      row.reprocess === 'all' &&
      row.fromAt < toAt &&
      row.toAt > fromAt,
  );
  return [
    ...(revisions.length > 0 ? [] : [lost(`${name} is in no export`)]),
    ...revisions.flatMap(([revision, rows]) => {
      const inOrder = rows.toSorted((one, other) => one.fromAt - other.fromAt);
      if (new Set(rows.map(({ jobId }) => jobId)).size > 1)
        return [duplicated(`${name} has several jobs of revision ${revision}`)];
      if (isUnion(inOrder, { fromAt, toAt })) return [];
      return [lost(`${name} is not the union of the exports of revision ${revision}`)];
    }),
    ...(revisions.length <= 1 + again.length
      ? []
      : [duplicated(`${name} has ${revisions.length} revisions after ${again.length} backfills`)]),
    ...(again.length === 0 || revisions.length > 1
      ? []
      : [lost(`${name} was not exported again for a backfill`)]),
  ];
}

/** The coverage has exactly the completed slices of the archives, each with its task and its manifest. */
function checkCoverageRows(evidence: ArchiveEvidence): Violation[] {
  const { jobs, slices, attempts, tasks, verifications, coverage } = evidence;
  const archiveOf = new Map(jobs.map(({ id, archiveId }) => [id, archiveId]));
  const keyOf = (jobId: string, slice: number) => `${jobId}/${slice}`;
  const rows = new Map(coverage.map((row) => [keyOf(row.jobId, row.slice), row]));
  const completed = slices.filter(
    ({ jobId, state }) => state === 'completed' && archiveOf.get(jobId) !== null,
  );
  return completed.flatMap((slice): Violation[] => {
    const { jobId, number } = slice;
    const name = `slice ${keyOf(jobId, number)}`;
    const row = rows.get(keyOf(jobId, number));
    if (!row || row.isVoid === 1) return [lost(`${name} is completed, but covers nothing`)];
    const isOfSlice = (other: { jobId: string; slice: number; attempt: number }) =>
      other.jobId === jobId && other.slice === number && other.attempt === slice.attempt;
    const attempt = attempts.find(isOfSlice);
    const verified = verifications.find(isOfSlice);
    const task = tasks.find(({ taskId }) => taskId === row.taskId);
    const isEqual =
      row.taskId === attempt?.taskId &&
      row.destinationPrefix === attempt.destinationPrefix &&
      row.exportedAt === attempt.submittedAt &&
      row.manifestSha256 !== null &&
      row.manifestSha256 === verified?.manifestSha256 &&
      task?.status === 'COMPLETED' &&
      task.from === BigInt(row.fromAt) &&
      task.to === BigInt(row.toAt) - 1n;
    return isEqual ? [] : [unlawful(`${name} differs from its row of the coverage`)];
  });
}

/** Exports of an archive never share a prefix. */
function checkPrefixes({ jobs, attempts }: ArchiveEvidence): Violation[] {
  const archiveOf = new Map(jobs.map(({ id, archiveId }) => [id, archiveId]));
  const ofArchives = attempts.filter(
    ({ jobId, taskId }) => taskId !== null && archiveOf.get(jobId) !== null,
  );
  const places = Map.groupBy(
    ofArchives,
    ({ jobId, destinationPrefix }) => `${archiveOf.get(jobId)}: ${destinationPrefix}`,
  );
  return [...places]
    .filter(([, shared]) => shared.length > 1)
    .map(([place, shared]) =>
      duplicated(`${shared.length} exports share a prefix in archive ${place}`),
    );
}
