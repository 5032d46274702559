import { inDigits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

/** How many bytes of bodies may be in flight at once. */
export interface BodyBudgetLimits {
  /** In this process. */
  bodiesBytes: number;
  /** Of one caller. */
  callerBodiesBytes: number;
}

/**
 * Makes the budget of the bodies in flight. It takes the bytes of one body, whole and before any of
 * it is read, and returns a function that gives them back. `callerId` is undefined where callers are
 * not told apart.
 * @throws Problem too-many-bodies, overloaded
 */
export function makeBodyBudget({ bodiesBytes, callerBodiesBytes }: BodyBudgetLimits) {
  const bytesOf = new Map<string, number>(); // of callers with a body in flight, no others
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
