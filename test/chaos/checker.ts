import type { Emulator } from 'cloudwatch-logs-export-emulator/source';
import type { Selectable } from 'kysely';

import type { Tables } from '#database/tables.ts';
import { checkAudit } from './check-audit.ts';
import { type ClientCall, checkCalls } from './check-calls.ts';
import { checkCreates } from './check-creates.ts';
import { checkHistory } from './check-history.ts';
import { checkManifests, type EvidentObject } from './check-manifests.ts';
import { checkSplits } from './check-splits.ts';
import { type Absence, checkTargets, type TargetPlace } from './check-targets.ts';

/** An export task, as the emulator knows it. */
export type Task = ReturnType<Emulator['exportTasks']>[number];

/** A create as observed between a replica and AWS, and whether its intent was in the database by then. */
export interface ObservedCreate {
  marker: string;
  at: number;
  attempt: string;
  /** `undefined` when the database was unavailable. */
  isIntentKnown: boolean | undefined;
}

/** A row of a table. */
export type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;

/** Everything on record after a run. */
export interface Evidence {
  installation: string;
  /** Jobs whose acceptance was confirmed. */
  accepted: string[];
  /** Jobs whose cancel was confirmed: their slices may end cancelled. */
  cancelled: ReadonlySet<string>;
  /** Jobs all of whose slices must fail. */
  expectedToFail: ReadonlySet<string>;
  calls: ClientCall[];
  observedCreates: ObservedCreate[];
  tasks: Task[];
  jobs: Row<'jobs'>[];
  slices: Row<'slices'>[];
  attempts: Row<'attempts'>[];
  events: Row<'events'>[];
  orphans: Row<'strays'>[];
  idempotencyKeys: Row<'idempotencyKeys'>[];
  /** The account and Region of each target. */
  targets: readonly TargetPlace[];
  /** When targets were in no configuration of any replica. */
  absences: readonly Absence[];
  auditEntries: Row<'auditEntries'>[];
  verifications: Row<'verifications'>[];
  /** The objects in S3, by bucket and key. Absent while replicas still work. */
  objects?: ReadonlyMap<string, EvidentObject>;
  /** Whether replicas of the version before the newest migration took part. */
  hasOldReplicas: boolean;
}

/** A broken invariant. */
export interface Violation {
  invariant: string;
  /** The consequence for the caller. */
  kind: 'lost' | 'duplicated' | 'stuck' | 'unlawful';
  text: string;
}

/**
 * Checks a run after it has come to rest. Only slices of `expectedToFail` had a reason to fail. It uses
 * only the records of AWS, the database and the clients.
 */
export function check(evidence: Evidence): Violation[] {
  const tasks = ourTasks(evidence);
  return [
    ...checkAcceptance(evidence),
    ...evidence.slices.flatMap((slice) => checkSlice(slice, evidence, tasks)),
    ...checkSlots(tasks),
    ...checkHistory(evidence),
    ...checkCreates(evidence, tasks),
    ...checkCalls(evidence),
    ...checkAudit(evidence),
    ...checkTargets(evidence),
    ...checkManifests(evidence),
    ...checkSplits(evidence),
  ];
}

/** An export task of ours, and its attempt. */
export interface OurTask {
  task: Task;
  attempt: Row<'attempts'> | undefined;
  isOrphan: boolean;
}

function ourTasks({ installation, tasks, attempts, orphans }: Evidence): OurTask[] {
  const byMarker = new Map(attempts.map((attempt) => [attempt.marker, attempt]));
  const orphanIds = new Set(orphans.map(({ taskId }) => taskId));
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
    .map((id) => ({
      invariant: 'INV1',
      kind: 'lost',
      text: `job ${id} was accepted, but does not exist`,
    }));
}

/** Each slice has one export: the task of its last attempt, with the right parameters. */
function checkSlice(slice: Row<'slices'>, evidence: Evidence, ours: OurTask[]): Violation[] {
  const name = `slice ${slice.jobId}/${slice.number}`;
  if (slice.state === 'split') return []; // its children count, see checkSplits
  const isEndedWithoutExport = slice.state === 'failed' || slice.state === 'cancelled';
  // Another job exports the partition: see checkArchives.
  if (isEndedWithoutExport && isOfArchive(slice, evidence)) return [];
  if (slice.state === 'cancelled' && evidence.cancelled.has(slice.jobId)) return [];
  if (evidence.expectedToFail.has(slice.jobId)) {
    if (slice.state === 'failed' && slice.problem !== null) return [];
    const text = `${name} must fail, but is ${slice.state}`;
    return [{ invariant: 'INV3', kind: 'stuck', text }];
  }
  if (isEndedWithoutExport) {
    const text = `${name} is ${slice.state}: ${slice.problem}`;
    return [{ invariant: 'INV3', kind: 'lost', text }];
  }
  if (slice.state !== 'completed') {
    return [{ invariant: 'INV3', kind: 'stuck', text: `${name} stays ${slice.state}` }];
  }
  const attempt = evidence.attempts.find(
    (row) =>
      row.jobId === slice.jobId && row.slice === slice.number && row.attempt === slice.attempt,
  );
  const known = ours.filter(({ task }) => task.taskId === attempt?.taskId);
  const [counted] = known;
  if (counted?.task.status !== 'COMPLETED') {
    const text = `${name} is completed, but its task ${attempt?.taskId} is ${counted?.task.status}`;
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
      text: `${name} was exported by ${counted.task.taskId}, and by the unknown task ${task.taskId}`,
    })),
    ...checkParameters(name, counted, slice, evidence),
  ];
}

const isOfArchive = ({ jobId }: Row<'slices'>, { jobs }: Evidence) =>
  jobs.some(({ id, archiveId }) => id === jobId && archiveId !== null);

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
  const text = `${name} has task ${task.taskId} with other parameters`;
  return [{ invariant: 'INV7', kind: 'unlawful', text }];
}

/** In each account and Region, one of our tasks ends before the next begins. */
function checkSlots(ours: OurTask[]): Violation[] {
  const counted = ours.filter(({ isOrphan }) => !isOrphan).map(({ task }) => task);
  const slots = Map.groupBy(counted, ({ accountId, region }) => `${accountId} ${region}`);
  return [...slots].flatMap(([slot, tasks]) => {
    const inOrder = tasks.toSorted((one, other) => one.createdAt - other.createdAt);
    return inOrder.flatMap((task, index): Violation[] => {
      const next = inOrder[index + 1];
      if (!next || next.createdAt >= (task.finishedAt ?? Number.POSITIVE_INFINITY)) return [];
      const text = `${task.taskId} and ${next.taskId} were active at once in ${slot}`;
      return [{ invariant: 'INV4', kind: 'duplicated', text }];
    });
  });
}
