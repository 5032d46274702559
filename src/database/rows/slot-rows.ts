import type { Generated } from 'kysely';

/** The slot of a target: its lease, and the foreign task in it. */
export interface SlotRow {
  target: string;
  accountId: string;
  region: string;
  owner: string | null;
  fence: Generated<number>;
  leasedUntil: Generated<number>;
  /** The number of starts so far. */
  turns: Generated<number>;
  foreignTaskId: string | null;
  foreignLogGroupName: string | null;
  foreignSince: number | null;
  foreignSeenAt: number | null;
  /** When something was sent last that may have created a task of ours. */
  sentAt: number | null;
  /** When the last complete orphan sweep began, as far as an owner wrote it when it released the slot. */
  sweptAt: number | null;
  /** The replica that stood back last, and until when: older versions write and read only these, not `StandBackRow`. */
  stoodBack: string | null;
  stoodBackUntil: number | null;
}

/** A foreign task that was seen in a slot. Rows of the last two days are kept. */
export interface ForeignTaskRow {
  target: string;
  taskId: string;
  logGroupName: string | null;
  /** Where it was seen: the target can move later. Null if only older replicas have seen the task. */
  accountId: string | null;
  region: string | null;
  /** Null if AWS omitted it, or only older replicas have seen the task. */
  destination: string | null;
  destinationPrefix: string | null;
  /** By AWS's clock; when it was first seen if AWS did not say. */
  beganAt: number;
  /** When it was last seen, or first missed. */
  seenUntil: number;
}

/** A replica that shares the work: alive while `seenAt` is less than a lease ago. */
export interface ReplicaRow {
  owner: string;
  seenAt: number;
}

/** A replica that stood back from a slot: others have precedence until `endsAt`, for `forMs` in all. */
export interface StandBackRow {
  target: string;
  owner: string;
  forMs: number;
  endsAt: number;
}
