import type { Emulator } from 'cloudwatch-logs-export-emulator/source';
import type { Selectable } from 'kysely';

import type { Tables } from '#database/tables.ts';
import { checkAudit } from './check-audit.ts';
import { type ClientCall, checkCalls } from './check-calls.ts';
import { checkHistory } from './check-history.ts';

/** An export task, as the emulator knows it. */
export type Task = ReturnType<Emulator['exportTasks']>[number];

/** A create as it was seen on its way to AWS, and whether its intent was on disk by then. */
export interface Sighting {
  marker: string;
  at: number;
  attempt: string;
  /** Undefined when the database could not be asked. */
  isIntentKnown: boolean | undefined;
}

/** A row of a table, as it is read. */
export type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;

/** Everything a run leaves behind. */
export interface Evidence {
  installation: string;
  /** Jobs whose acceptance was confirmed. */
  accepted: string[];
  /** Jobs whose cancel was confirmed: their slices may end so. */
  cancelled: ReadonlySet<string>;
  /** Jobs whose slices cannot but fail. */
  doomed: ReadonlySet<string>;
  calls: ClientCall[];
  sightings: Sighting[];
  tasks: Task[];
  jobs: Row<'jobs'>[];
  slices: Row<'slices'>[];
  attempts: Row<'attempts'>[];
  events: Row<'events'>[];
  strays: Row<'strays'>[];
  idempotencyKeys: Row<'idempotencyKeys'>[];
  auditEntries: Row<'auditEntries'>[];
}

/** Something that must never happen, and did. */
export interface Violation {
  invariant: string;
  /** What it means for whoever asked for the export. */
  kind: 'lost' | 'duplicated' | 'stuck' | 'unlawful';
  text: string;
}

/**
 * Judges a run in which nothing gave a slice that is not doomed a reason to fail, after it has come
 * to rest. Looks only at what AWS, the database and the clients have on record.
 */
export function check(evidence: Evidence): Violation[] {
  const tasks = ourTasks(evidence);
  return [
    ...checkAcceptance(evidence),
    ...evidence.slices.flatMap((slice) => checkSlice(slice, evidence, tasks)),
    ...checkSlots(tasks),
    ...checkHistory(evidence),
    ...checkSightings(evidence, tasks),
    ...checkCalls(evidence),
    ...checkAudit(evidence),
  ];
}

interface OurTask {
  task: Task;
  attempt: Row<'attempts'> | undefined;
  isOrphan: boolean;
}

function ourTasks({ installation, tasks, attempts, strays }: Evidence): OurTask[] {
  const byMarker = new Map(attempts.map((attempt) => [attempt.marker, attempt]));
  const orphanIds = new Set(strays.map(({ taskId }) => taskId));
  return tasks
    .filter(({ taskName }) => taskName?.startsWith(`xp1-${installation}-`))
    .map((task) => ({
      task,
      attempt: byMarker.get(task.taskName ?? ''),
      isOrphan: orphanIds.has(task.taskId),
    }));
}

function checkAcceptance({ accepted, jobs }: Evidence): Violation[] {
  const ids = new Set(jobs.map(({ id }) => id));
  return accepted
    .filter((id) => !ids.has(id))
    .map((id) => ({ invariant: 'INV1', kind: 'lost', text: `job ${id} was accepted and is gone` }));
}

/** One slice, one export: the one it knows, of what it asked for. */
function checkSlice(slice: Row<'slices'>, evidence: Evidence, ours: OurTask[]): Violation[] {
  const name = `slice ${slice.jobId}/${slice.number}`;
  if (slice.state === 'cancelled' && evidence.cancelled.has(slice.jobId)) return [];
  if (evidence.doomed.has(slice.jobId)) {
    if (slice.state === 'failed' && slice.problem !== null) return [];
    const text = `${name}, which cannot but fail, is ${slice.state}`;
    return [{ invariant: 'INV3', kind: 'stuck', text }];
  }
  if (slice.state === 'failed' || slice.state === 'cancelled') {
    const text = `${name} is ${slice.state}: ${slice.problem}`;
    return [{ invariant: 'INV3', kind: 'lost', text }];
  }
  if (slice.state !== 'completed') {
    return [{ invariant: 'INV3', kind: 'stuck', text: `${name} is ${slice.state} for ever` }];
  }
  const attempt = evidence.attempts.find(
    (row) =>
      row.jobId === slice.jobId && row.slice === slice.number && row.attempt === slice.attempt,
  );
  const known = ours.filter(({ task }) => task.taskId === attempt?.taskId);
  const [counted] = known;
  if (counted?.task.status !== 'COMPLETED') {
    const text = `${name} is completed, its task ${attempt?.taskId} is ${counted?.task.status}`;
    return [{ invariant: 'INV3', kind: 'lost', text }];
  }
  const others = ours.filter(
    ({ task, attempt: of, isOrphan }) =>
      of?.jobId === slice.jobId &&
      of.slice === slice.number &&
      task !== counted.task &&
      !isOrphan &&
      !(of.taskId === task.taskId && (of.outcome === 'failed' || of.outcome === 'cancelled')),
  );
  return [
    ...others.map(({ task }) => ({
      invariant: 'INV2',
      kind: 'duplicated' as const,
      text: `${name} was exported by ${counted.task.taskId}, and by ${task.taskId}, which nobody knows`,
    })),
    ...checkParameters(name, counted, slice, evidence),
  ];
}

function checkParameters(
  name: string,
  { task, attempt }: OurTask,
  slice: Row<'slices'>,
  { jobs }: Evidence,
): Violation[] {
  const job = jobs.find(({ id }) => id === slice.jobId);
  const isEqual =
    attempt !== undefined &&
    attempt.jobId === slice.jobId &&
    attempt.slice === slice.number &&
    attempt.attempt === slice.attempt &&
    task.logGroupName === slice.logGroupName &&
    task.from === BigInt(slice.fromAt) &&
    task.to === BigInt(slice.toAt) - 1n &&
    task.destination === job?.destination &&
    task.destinationPrefix === attempt.destinationPrefix;
  if (isEqual) return [];
  const text = `${name} has task ${task.taskId}, which is not what it asked for`;
  return [{ invariant: 'INV7', kind: 'unlawful', text }];
}

/** In one account and Region, one of ours ends before the next begins. */
function checkSlots(ours: OurTask[]): Violation[] {
  const counted = ours.filter(({ isOrphan }) => !isOrphan).map(({ task }) => task);
  const places = Map.groupBy(counted, ({ accountId, region }) => `${accountId} ${region}`);
  return [...places].flatMap(([place, tasks]) => {
    const inOrder = tasks.toSorted((one, other) => one.createdAt - other.createdAt);
    return inOrder.flatMap((task, index): Violation[] => {
      const next = inOrder[index + 1];
      if (!next || next.createdAt >= (task.finishedAt ?? Number.POSITIVE_INFINITY)) return [];
      const text = `${task.taskId} and ${next.taskId} were active at once in ${place}`;
      return [{ invariant: 'INV4', kind: 'duplicated', text }];
    });
  });
}

/** Intent first, and sent once. */
function checkSightings({ sightings, attempts, events }: Evidence, ours: OurTask[]): Violation[] {
  const unlawful = (invariant: string, text: string) =>
    ({ invariant, kind: 'unlawful', text }) as const;
  const bySent = Map.groupBy(sightings, ({ marker }) => marker);
  return [
    ...sightings
      .filter(({ isIntentKnown }) => isIntentKnown === false)
      .map(({ marker }) => unlawful('INV10', `${marker} was sent before it was on disk`)),
    ...ours
      .filter(({ attempt, isOrphan }) => !attempt && !isOrphan)
      .map(({ task }) => unlawful('INV10', `task ${task.taskId} has no attempt`)),
    ...[...bySent.values()]
      .filter((sent) => sent.length > 1 || !sent[0]?.attempt.startsWith('attempt=1;'))
      .map(([first]) => unlawful('INV12', `${first?.marker} was sent more than once`)),
    ...attempts
      .filter(isSlotTaken)
      .flatMap((refused) =>
        attempts
          .filter((other) => other !== refused && isUnsettledDuring(other, refused, events))
          .map(({ marker }) =>
            unlawful(
              'INV12',
              `${refused.marker} was taken for refused while ${marker} was unsettled`,
            ),
          ),
      ),
  ];
}

const isSlotTaken = ({ problem }: Row<'attempts'>) =>
  problem !== null && JSON.parse(problem).awsErrorCode === 'LimitExceededException';

/** Whether it was not known what became of an attempt at the time another was refused. */
function isUnsettledDuring(
  other: Row<'attempts'>,
  refused: Row<'attempts'>,
  events: Row<'events'>[],
): boolean {
  if (other.target !== refused.target || other.submittedAt > refused.submittedAt) return false;
  const found = events.find(
    ({ jobId, type, data }) =>
      type === 'slice-running' &&
      jobId === other.jobId &&
      JSON.parse(data).slice === other.slice &&
      JSON.parse(data).attempt === other.attempt,
  );
  const settledAt = found?.at ?? other.endedAt ?? Number.POSITIVE_INFINITY;
  return settledAt > refused.submittedAt;
}
