import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import type { Problem } from '#problems/problem.ts';
import type { Installation } from '#targets/marker.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import { type BackOffLimits, backOffMs } from '#time/back-off.ts';
import type { SliceProblem } from '../export-job.ts';
import type { Lease } from '../store/steps/lease.ts';
import type { ForeignTask } from '../store/steps/record-foreign-task.ts';
import { recordStep, type Step, type SteppingSlice } from '../store/steps/record-step.ts';
import type { DispatcherLimits } from './limits.ts';
import type { CallSpacing } from './pacing/call-spacing.ts';
import type { TaskDurations } from './pacing/task-durations.ts';
import type { Trouble } from './trouble.ts';

/** Points at which a test may end the process. In production nothing happens there. */
export type CrashPoint =
  | 'before-intent'
  | 'in-intent'
  | 'after-intent'
  | 'before-send'
  | 'before-outcome'
  | 'in-outcome'
  | 'in-adopt'
  | 'in-requeue'
  | 'before-orphan-cancel';

/** What the steps of a slot need. */
export interface SlotOptions {
  target: OpenTarget;
  database: Database;
  /** Asked before each create, on behalf of whoever asked for the job. */
  authorizer: Authorizer;
  /** Of this database: what markers are made with. */
  installation: Installation;
  limits: DispatcherLimits;
  log: Log;
  /** A clock that only goes forward, in ms. */
  elapsed: () => number;
  /** From 0 to 1. */
  random: () => number;
  reach: (point: CrashPoint) => Promise<void>;
  /** Told after each change that is written. */
  onChange: (jobId: string) => void;
}

/** A slot we hold the lease of, and what is remembered of it. Nothing in memory is needed to go on. */
export interface OwnedSlot extends SlotOptions {
  lease: Lease;
  callSpacing: CallSpacing;
  durations: TaskDurations;
  memory: SlotMemory;
  /** Waits within a step; the lease is kept meanwhile. */
  pause: (ms: number) => Promise<void>;
}

/** What a slot's owner remembers between two steps. Instants are of `elapsed`. */
export interface SlotMemory {
  /** Creates that AWS refused in a row, for reasons that are not the slice's. */
  refusals: number;
  /** Since when AWS has refused every create for such a reason. */
  refused: Trouble | undefined;
  /** No create before this. */
  createNotBefore: number;
  /** Whether AWS refused a create because the slot is taken, and it is not known to be free again. */
  isTaken: boolean;
  /** Somebody else's task in the slot, when it was seen first, and when to ask for it again. */
  foreign: (ForeignTask & { seenAt: number; askAt: number }) | undefined;
  /** No cancel before this. */
  cancelNotBefore: number;
  /** When the active slice was seen first, and how old its attempt was then by the database's clock. */
  seen: { marker: string; ageMs: number; seenAt: number } | undefined;
  /** When the active slice was asked for last, in ms since it was submitted. */
  asked: { marker: string; polledAt: number } | undefined;
  /** Whole listings in which the task of `marker` was not. */
  looks: { marker: string; missing: number; lookedAt: number } | undefined;
  /** Since when AWS has not listed the running task. */
  missed: (Trouble & { marker: string }) | undefined;
  /** The sweep under way, and when the last whole one began. */
  sweep: { beganAt: number; nextToken: string | undefined } | undefined;
  sweptAt: number;
}

/** Nothing remembered yet. */
export function makeSlotMemory(): SlotMemory {
  return {
    refusals: 0,
    refused: undefined,
    createNotBefore: Number.NEGATIVE_INFINITY,
    isTaken: false,
    foreign: undefined,
    cancelNotBefore: Number.NEGATIVE_INFINITY,
    seen: undefined,
    asked: undefined,
    looks: undefined,
    missed: undefined,
    sweep: undefined,
    sweptAt: Number.NEGATIVE_INFINITY,
  };
}

/** Writes a step down and tells of it; the crash points are inside and before it. */
export async function record(
  slot: OwnedSlot,
  active: SteppingSlice,
  step: Step,
  point?: CrashPoint,
): Promise<void> {
  const { database, lease, limits, reach, onChange } = slot;
  const reachInside = point && (() => reach(point));
  await recordStep(database, lease, limits.leaseMs, active, step, reachInside);
  onChange(active.jobId);
}

/** What came of asking AWS for a cancel. */
export interface CancelOutcome {
  awsRequestId: string | undefined;
  /** Why AWS did not take it. */
  refusal?: Problem;
}

/** Asks AWS to cancel a task, on behalf of a caller if there is one. Never throws. */
export function cancelAtAws(
  { target, callSpacing }: OwnedSlot,
  taskId: string,
  caller: string | undefined,
): Promise<CancelOutcome> {
  callSpacing.count();
  return target.logs.cancelExportTask(taskId, { caller }).catch((refusal: Problem) => {
    return { awsRequestId: refusal.members.awsRequestId, refusal };
  });
}

/** What is kept of a problem with a slice: nothing of a request, for there was none. */
export function toStored({ slug, kind, detail, members }: Problem): SliceProblem {
  const { title, isRetryable, remedy } = kind;
  const { awsErrorCode, awsRequestId, bucketPolicy } = members;
  return {
    ...{ type: `/problems/${slug}`, title, detail, isRetryable, remedy },
    ...(awsErrorCode !== undefined && { awsErrorCode }),
    ...(awsRequestId !== undefined && { awsRequestId }),
    ...(bucketPolicy !== undefined && { bucketPolicy }),
  };
}

/** The slug of a problem that was kept. */
export function slugOf({ type }: SliceProblem): ProblemSlug {
  return type.slice('/problems/'.length) as ProblemSlug;
}

/** The pauses after failures of a slot. */
export const slotPauses: BackOffLimits = { firstMs: 1_000, maxMs: 60_000 };

/** Exponential back-off with jitter: 1 s plus a random part of a pause that doubles up to 60 s. */
export function jitteredBackOffMs(failures: number, random: () => number): number {
  return 1_000 + random() * backOffMs(failures, slotPauses);
}
