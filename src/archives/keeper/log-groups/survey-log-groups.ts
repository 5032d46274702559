import { setImmediate } from 'node:timers/promises';

import { countUnits } from '#coverage/ledger/units.ts';
import { byUrgency, type DuePartition } from '../../partitions/due.ts';
import { runsOf } from '../../partitions/runs.ts';
import { addToTally, makeTally, type Tally } from '../../partitions/tally.ts';
import {
  keyOf,
  type LogGroupCursor,
  type MissingPartition,
  readLedgerPage,
} from '../../store/log-groups/read-ledger.ts';
import { isWaitingJob, type QueuedPartition } from '../../store/partitions/read-queued.ts';
import { isOnTrial, type Look } from '../look.ts';
import {
  type AssessedLogGroup,
  type Assessment,
  type AssessmentFacts,
  assessLogGroup,
  type ReadAssessed,
} from './assess-log-group.ts';
import { correctLogGroups } from './correct-log-groups.ts';
import { findAgain } from './find-again.ts';

/** What a look knows of all log groups of an archive. */
export interface Survey {
  /** The number of log groups that are there. */
  logGroups: number;
  tally: Tally;
  /** Partitions that can be put into the queue, the most urgent first. */
  candidates: Candidate[];
  /** The log groups that AWS refuses. */
  refused: Set<string>;
  /** Whether a failed partition is tried again, now or later. */
  isRetrying: boolean;
  /** The partitions in the queue. */
  queued: QueuedPartition[];
  /** Those of them that can give their place to one at risk. */
  displaceable: Assessment['displaceable'];
  /** The backfills that are not complete. */
  openBackfills: ReadonlySet<number>;
}

/** A partition that can be put into the queue. */
export interface Candidate extends DuePartition {
  /** What its last failure left; undefined if it has not failed. */
  row?: MissingPartition | undefined;
}

// More: they fill the memory. Fewer: if the policies refuse all of them, the next ones wait for the next look.
const maxCandidates = 100;

/**
 * Surveys all log groups of an archive, page by page. It withdraws exports that must not start as they are, and
 * records what can no longer be exported.
 */
export async function surveyLogGroups(
  look: Look,
  inQueue: readonly QueuedPartition[],
  facts: AssessmentFacts,
): Promise<Survey> {
  const { archive, database } = look;
  const survey: Survey = {
    logGroups: 0,
    tally: makeTally(),
    candidates: [],
    refused: new Set(),
    isRetrying: false,
    queued: [...inQueue],
    displaceable: [],
    openBackfills: facts.openBackfills.waiting,
  };
  const isWhole = facts.isBackfilled;
  let after: LogGroupCursor | undefined;
  const read: ReadAssessed = async (queries, queued) => {
    const inWork = new Set(queued.map(({ logGroupName }) => logGroupName));
    const page = await readLedgerPage(queries, { archiveId: archive.id, after, inWork, isWhole });
    const rows = Map.groupBy(queued, keyOf);
    return page.map((group) => {
      const own = rows.get(keyOf(group)) ?? [];
      return { group, queued: own, assessment: assessLogGroup(group, own, facts) };
    });
  };
  for (;;) {
    await setImmediate(); // SQLite works on this thread: other requests run between two pages
    let assessed = await read(database.queries, survey.queued);
    if (assessed.some(needsCorrection)) {
      survey.queued = await correctLogGroups(look, assessed, survey.queued, read);
      assessed = await read(database.queries, survey.queued);
    }
    for (const each of assessed) add(survey, each, facts);
    keepFirst(survey, archive);
    after = assessed.at(-1)?.group;
    if (!after) break;
  }
  const again = await findAgain(look, facts);
  survey.candidates.push(...again.filter((each) => !survey.refused.has(keyOf(each))));
  keepFirst(survey, archive);
  return survey;
}

function needsCorrection({ assessment }: AssessedLogGroup): boolean {
  const { stale, shrunk, losses, doneUntilAt } = assessment;
  return stale.length + shrunk.length + losses.length > 0 || doneUntilAt !== null;
}

function add(
  survey: Survey,
  { group, queued, assessment }: AssessedLogGroup,
  { archive, now, openBackfills }: AssessmentFacts,
): void {
  const { wanted, retries, failedRepeats, due, isRefused, displaceable, openFrom } = assessment;
  if (wanted.length === 0) return;
  const { partitionBy, catchUpDays } = archive.definition;
  if (group.goneAt === null) survey.logGroups += 1;
  const work = [
    ...queued.map((row) => ({
      ...row,
      state: 'queued' as const,
      isRunning: row.job !== undefined && !isWaitingJob(row.job),
      problem: null,
    })),
    ...group.missing.map((row) => ({ ...row, isRunning: false })),
  ].sort((one, other) => one.fromAt - other.fromAt);
  const { endedAt } = archive;
  const { ranges, retentionDays } = group;
  const time = { partitionBy, retentionDays, catchUpDays, endedAt, now };
  const fromAt = Math.max(openFrom, wanted[0]?.fromAt ?? 0);
  const window = { fromAt, toAt: Infinity };
  addToTally(survey.tally, group, runsOf({ ...time, wanted, ranges, work }, window), time);
  for (const row of failedRepeats) survey.tally.failedRepeats += countUnits(row, partitionBy);
  survey.candidates.push(...retries);
  // On trial, its last refused partition is its turn. Otherwise its new ones at risk would go before other log groups.
  if (!isRefused || !isOnTrial(archive)) survey.candidates.push(...due);
  if (isRefused) survey.refused.add(keyOf(group));
  survey.isRetrying ||= group.missing.some(({ retryAt }) => retryAt !== null);
  survey.displaceable.push(...displaceable);
  openBackfills.note(group.logGroupName, assessment.openGaps);
}

/** Sorts the candidates, and keeps those that go first. On trial, it keeps one of each log group. */
function keepFirst(survey: Survey, archive: Look['archive']): void {
  const isTrial = isOnTrial(archive);
  survey.candidates.sort(isTrial ? byTurn : byUrgency);
  if (isTrial) survey.candidates = firstOfEach(survey.candidates);
  survey.candidates.length = Math.min(survey.candidates.length, maxCandidates);
}

/** The order of a trial: what has not failed, then what failed longest ago. */
function byTurn(one: Candidate, other: Candidate): number {
  const [first, second] = [one.row?.retryAt ?? 0, other.row?.retryAt ?? 0];
  return first - second || byUrgency(one, other);
}

function firstOfEach(candidates: readonly Candidate[]): Candidate[] {
  const names = new Set<string>();
  return candidates.filter(({ logGroupName }) => {
    const isFirst = !names.has(logGroupName);
    names.add(logGroupName);
    return isFirst;
  });
}
