import type { ChangeWatch } from '#export-jobs/watching/change-watch.ts';

/** The archives, as the rest of the service uses them. */
export interface Archives {
  /** The watch of changed archives. */
  watch: ChangeWatch;
  /** Makes the keeper look at an archive that a caller has changed. */
  wake: (archiveId: string) => void;
  /** The origins that heartbeats may go to. */
  heartbeatOrigins: readonly string[];
}
