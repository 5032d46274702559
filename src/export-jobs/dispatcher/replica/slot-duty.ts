import type { SlotWork } from '../../store/reads/read-work.ts';

/** What a replica does about a slot that has work. */
export type SlotDuty =
  | { act: 'leave' }
  /** The slot is free, and left to a replica that comes before this one. */
  | { act: 'await' }
  /** `passedOver` should have taken the slot and did not. */
  | { act: 'take'; passedOver?: string | undefined }
  | { act: 'hand-over' };

/** What the duty follows from. */
export interface DutyOptions {
  owner: string;
  /** All replicas that are alive, this one included, by their precedence at the target. */
  owners: readonly string[];
  leaseMs: number;
  /** How long the next one in the order waits before it takes a slot that nobody works. */
  takeOverMs: number;
}

/** Decides what this replica does about a slot with work, by the rows of the database alone. */
export function slotDuty(work: SlotWork, options: DutyOptions): SlotDuty {
  const { owner, leaseMs, takeOverMs } = options;
  // Replicas that stood back come last: they may still be the only ones that are left.
  const isBack = (each: string) => work.stoodBack.includes(each);
  const owners = [
    ...options.owners.filter((each) => !isBack(each)),
    ...options.owners.filter(isBack),
  ];
  const [first = owner] = owners;
  const rank = owners.indexOf(owner);
  const isOurs = work.owner === owner;
  if (isOurs || isFree(work, leaseMs)) {
    if (rank === 0 || (isOurs && isBack(first))) return { act: 'take' };
    if (isOurs) return { act: 'hand-over' };
    if (unworkedForMs(work) >= rank * takeOverMs) return { act: 'take', passedOver: first };
    return { act: 'await' };
  }
  return { act: 'leave' };
}

/** Whether the lease has ended, or is longer than any valid one: the clock was set back. */
function isFree({ owner, leaseLeftMs }: SlotWork, leaseMs: number): boolean {
  return owner === null || leaseLeftMs === null || leaseLeftMs <= 0 || leaseLeftMs > 2 * leaseMs;
}

/** For how long there has been work and no lease, in ms. */
function unworkedForMs({ leaseLeftMs, readyInMs, activeJobId }: SlotWork): number {
  const freeForMs = leaseLeftMs === null ? Number.POSITIVE_INFINITY : -leaseLeftMs;
  if (activeJobId !== null || readyInMs === null) return freeForMs;
  return Math.min(freeForMs, -readyInMs);
}
