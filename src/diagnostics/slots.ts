import { openChannel } from './channel.ts';

/** Who holds the slot of a target, as the process that works it sees it. */
export interface SlotOccupancy {
  target: string;
  /** A slice of ours, or a task of others; undefined if the slot is free, or this process no longer works it. */
  holder: 'us' | 'others' | undefined;
  /** For how long the task of others has run, by the clock of AWS; undefined if this is not known. */
  foreignMs: number | undefined;
}

/** The time from the end of a task of ours to the next create, while a slice was ready. */
interface HandOff {
  target: string;
  durationMs: number;
}

/** Changes of the holder of a slot, and of the task of others in it. */
export const slotOccupancies = openChannel<SlotOccupancy>('slot');
/** Hand-offs from one task to the next. */
export const handOffs = openChannel<HandOff>('hand-off');
