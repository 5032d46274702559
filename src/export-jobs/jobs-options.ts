import type { Database } from '#database/database.ts';
import type { SlotStatusSource } from '#targets/slot/slot.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { VerificationMode } from './planning/verification-mode.ts';
import type { QueueView } from './queue/position.ts';
import type { ChangeWatch } from './watching/change-watch.ts';

/** The queue of export jobs, as the rest of the service uses it. */
export interface JobsOptions {
  database: Database;
  watch: ChangeWatch;
  /** The sleep of event streams. */
  sleepUntilAborted: AbortableSleep;
  queue: QueueView;
  slots: SlotStatusSource;
  /** Wakes the dispatcher of a target, whose queue has changed. */
  wake: (target: string) => void;
  /**
   * Whether a task name is reserved for the tasks of export jobs; false while the database is
   * unreachable.
   */
  isMarker: (taskName: string) => Promise<boolean>;
  /** How many event streams this process serves at once, and how many long polls. Default: 1,000. */
  maxStreams?: number | undefined;
  /** How many event streams one caller may have open, and how many long polls. Default: 0, no limit. */
  maxWatchers?: number | undefined;
  /** How many slices of one caller may wait. Default: 0, no limit. */
  maxWaitingSlices?: number | undefined;
  /** The verification of jobs that do not name one. Default: `objects`. */
  verification?: VerificationMode | undefined;
}
