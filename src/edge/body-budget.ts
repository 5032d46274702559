import { inDigits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { EdgeLimits } from './limits.ts';

/** The most bytes of request bodies in flight. */
export interface BodyBudgetLimits {
  /** Of all callers of this process. */
  bodiesBytes: number;
  /** Of one caller. */
  callerBodiesBytes: number;
}

/** Makes the budgets of a process. Bodies of unknown senders must not use up what authenticated callers have. */
export function makeBodyBudgets(limits: EdgeLimits) {
  return {
    takeBytes: makeBodyBudget(limits),
    /** For signed bodies. Anyone can claim to be a caller. */
    takeSignedBytes: makeBodyBudget({
      bodiesBytes: limits.signedBodiesBytes,
      callerBodiesBytes: limits.claimedBodiesBytes,
    }),
    /** For bodies of public routes. Only the address of their sender is known. */
    takePublicBytes: makeBodyBudget({
      bodiesBytes: limits.publicBodiesBytes,
      callerBodiesBytes: limits.addressBodiesBytes,
    }),
  };
}

/**
 * Makes the budget of the bodies in flight. It reserves the bytes of a whole body before the body is
 * read, and returns a function that releases them. `callerId` is undefined for anonymous callers. It is an
 * address on public routes.
 * @throws Problem too-many-bodies, overloaded
 */
export function makeBodyBudget({ bodiesBytes, callerBodiesBytes }: BodyBudgetLimits) {
  const bytesOf = new Map<string, number>(); // only callers with a body in flight
  let total = 0;

  return (callerId: string | undefined, bytes: number): (() => void) => {
    const own = callerId === undefined ? 0 : (bytesOf.get(callerId) ?? 0);
    if (callerId !== undefined && own + bytes > callerBodiesBytes) {
      const limit = inDigits(callerBodiesBytes);
      const detail = `With this body, you would have more than ${limit} bytes in flight.`;
      throw new Problem('too-many-bodies', detail);
    }
    if (total + bytes > bodiesBytes) {
      throw new Problem('overloaded', 'The memory for request bodies is full.');
    }
    add(callerId, bytes);
    return () => add(callerId, -bytes);
  };

  function add(callerId: string | undefined, bytes: number): void {
    total += bytes;
    if (callerId === undefined) return;
    const own = (bytesOf.get(callerId) ?? 0) + bytes;
    if (own === 0) bytesOf.delete(callerId);
    else bytesOf.set(callerId, own);
  }
}
