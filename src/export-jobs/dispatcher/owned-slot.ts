import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { Installation } from '#targets/marker.ts';
import type { FindDestinationRefusal } from '#targets/preflight/destination-refusal.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { Lease } from '../store/steps/hold-lease.ts';
import type { RunningSlice } from '../store/steps/read-active-slice.ts';
import type { ForeignTask } from '../store/steps/record-foreign-task.ts';
import type { CallSpacing } from './pacing/call-spacing.ts';
import type { TaskDurations } from './pacing/task-durations.ts';
import type { SlotOutages } from './slot-outages.ts';
import type { DispatcherTimings } from './timings.ts';

/** Points at which a test may end the process. In production they do nothing. */
export type CrashPoint =
  | 'before-intent'
  | 'in-intent'
  | 'after-intent'
  | 'before-send'
  | 'before-outcome'
  | 'in-outcome'
  | 'in-adopt'
  | 'in-requeue'
  | 'in-split'
  | 'before-orphan-cancel'
  | 'before-manifest'
  | 'after-manifest'
  | 'in-verdict';

/** What working a slot needs. */
export interface SlotOptions {
  target: OpenTarget;
  database: Database;
  /** Decides each create, for the caller of its job. */
  authorizer: Authorizer;
  /** Looks at the destination of a job before its first slice, and before one of its slices is split. */
  findDestinationRefusal: FindDestinationRefusal;
  /** The installation that markers are made with. */
  installation: Installation;
  timings: DispatcherTimings;
  log: Log;
  /** A clock that only goes forward, in ms. */
  elapsed: () => number;
  /** From 0 to 1. */
  random: () => number;
  reach: (point: CrashPoint) => Promise<void>;
  /** Called after each recorded change of a job. */
  onChange: (jobId: string) => void;
  /** Called when a slice has left the slot to be verified. */
  onVerifying: () => void;
}

/**
 * A slot whose lease we hold, and what is remembered of it. After a restart it works without that
 * memory.
 */
export interface OwnedSlot extends SlotOptions {
  lease: Lease;
  callSpacing: CallSpacing;
  durations: TaskDurations;
  memory: SlotMemory;
  outages: SlotOutages;
  /** Pauses within a step. */
  pause: (ms: number) => Promise<void>;
}

/** The polls of a task in one state. */
export interface TaskWatch {
  marker: string;
  state: 'running' | 'cancelling';
  /** Since when the task has been in this state, by `elapsed`. */
  since: number;
  /** Whether AWS answered the create then. Otherwise the task may have begun earlier or later. */
  isFromStart: boolean;
  /** How often this process has polled the task. */
  polls: number;
  /** The last poll that saw it, in ms since then; 0 before the first. */
  polledAt: number;
  /** When to poll next, in ms since then; undefined until it is decided. */
  pollAt: number | undefined;
}

/** What the owner of a slot remembers between two steps. Instants are by `elapsed`. */
export interface SlotMemory {
  /** The slice in the slot as it was read, until its next step. Each step checks the row again. */
  running: RunningSlice | undefined;
  /** When the last step of a slice was recorded. */
  changedAt: number;
  /** When a slice may be ready to start: in the past for now, never if none waits. */
  readyAt: number;
  /** When the finder last began to find a slice that is ready. */
  readyFoundAt: number;
  /** When something was sent last that can have left an orphaned task. */
  sentAt: number;
  /** How many creates in a row AWS has refused for reasons of the slot. */
  refusals: number;
  /** No create before this. */
  createNotBefore: number;
  /** When the last task of ours ended, until the next create is sent or no slice is ready. */
  endedAt: number | undefined;
  /** Whether AWS refused a create because the slot is taken, and has not shown it free since. */
  isTaken: boolean;
  /** The foreign task in the slot, when it began, and when to poll it next. */
  foreign: (ForeignTask & { beganAt: number; pollAt: number }) | undefined;
  /** No cancel before this. */
  cancelNotBefore: number;
  /** When the active attempt was first seen, and its age then by the database's clock. */
  firstSight: { marker: string; ageMs: number; at: number } | undefined;
  /** The polls of the task of the active attempt. */
  watch: TaskWatch | undefined;
  /** How many whole listings did not have the task of `marker`, and when the last listing began. */
  listings: { marker: string; without: number; listedAt: number } | undefined;
  /** The running task, while AWS does not list it, and since when. */
  unlisted: { marker: string; since: number } | undefined;
  /** The unfinished sweep and how far back it goes, and when the last finished one began. */
  sweep: { beganAt: number; backMs: number; nextToken: string | undefined } | undefined;
  sweptAt: number;
}

/** Makes an empty memory. */
export function makeSlotMemory(): SlotMemory {
  return {
    running: undefined,
    changedAt: Number.NEGATIVE_INFINITY,
    readyAt: Number.NEGATIVE_INFINITY,
    readyFoundAt: Number.NEGATIVE_INFINITY,
    sentAt: Number.NEGATIVE_INFINITY,
    refusals: 0,
    createNotBefore: Number.NEGATIVE_INFINITY,
    endedAt: undefined,
    isTaken: false,
    foreign: undefined,
    cancelNotBefore: Number.NEGATIVE_INFINITY,
    firstSight: undefined,
    watch: undefined,
    listings: undefined,
    unlisted: undefined,
    sweep: undefined,
    sweptAt: Number.NEGATIVE_INFINITY,
  };
}
