import type { Log } from '#telemetry/log.ts';
import {
  alarmAfterMs,
  makeOutageLog,
  type OutageClocks,
  type OutageLog,
} from '#telemetry/outage-log.ts';

/** What the log says about one slot, from one of its workers to the next. */
export interface SlotOutages {
  /** Its slice runs in another account or Region than that of the target. */
  move: OutageLog;
  /** Its worker fails. */
  worker: OutageLog;
  /** Creates are refused, or have no answer. */
  creates: OutageLog;
  /** Cancels are refused. */
  cancels: OutageLog;
  /** AWS does not list the task of its slice. */
  listing: OutageLog;
  /** Slices fail. */
  slices: OutageLog;
}

// Shorter: what fails every other time has lines without end. Longer: the end is logged late.
const calmMs = 60_000;
// Slices take minutes. Shorter: each failed one is an outage of its own.
export const slicesCalmMs = 60 * 60_000;

// The tasks of other tools take minutes, too. Shorter: each of them is an error. Longer: jobs wait unnoticed.
export const takenAlarmMs = 60 * 60_000;

/** Makes the outages of a slot. */
export function makeSlotOutages(options: OutageClocks & { log: Log }): SlotOutages {
  return {
    move: makeOutageLog(options),
    worker: makeOutageLog({ ...options, calmMs }),
    creates: makeOutageLog({ ...options, calmMs }),
    cancels: makeOutageLog({ ...options, calmMs }),
    listing: makeOutageLog({ ...options, quietMs: alarmAfterMs }),
    slices: makeOutageLog({ ...options, calmMs: slicesCalmMs }),
  };
}
