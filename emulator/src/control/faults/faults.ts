import { checkFault } from './check-fault.ts';
import type { Fault } from './fault.ts';

/** The pending faults. */
export interface Faults {
  /** @throws an error for an unknown kind, and for a missing, unknown or wrong member */
  add(fault: Fault): void;
  clear(): void;
  pending(): Fault[];
}

/** Makes an empty list. `take` returns the fault that a request meets, and counts it. */
export function makeFaults(): Faults & {
  take(operation: string, input: unknown, callerAccountId?: string): Fault | undefined;
} {
  let pending: (Fault & { count: number; skip: number })[] = [];

  return {
    add: (fault) => {
      checkFault(fault);
      pending.push({ ...fault, count: fault.count ?? 1, skip: fault.skip ?? 0 });
    },
    clear: () => {
      pending = [];
    },
    pending: () => pending.map((fault) => ({ ...fault })),
    take(operation, input, callerAccountId) {
      const { logGroupName, RoleArn } = (input ?? {}) as Record<string, unknown>;
      const accountId =
        operation === 'AssumeRole' ? String(RoleArn).split(':')[4] : callerAccountId;
      for (const fault of pending) {
        if (fault.operation !== '*' && fault.operation !== operation) continue;
        if (fault.logGroupName !== undefined && fault.logGroupName !== logGroupName) continue;
        if (fault.accountId !== undefined && fault.accountId !== accountId) continue;
        if (!isOfTimeRange(fault, input)) continue;
        if (fault.skip > 0) {
          fault.skip -= 1;
          continue;
        }
        fault.count -= 1;
        if (fault.count <= 0) pending = pending.filter((other) => other !== fault);
        return fault;
      }
      return undefined;
    },
  };
}

/** Whether the time range of a request is one that a fault is for. `from` and `to` are inclusive. */
function isOfTimeRange({ longerThanMs, containsMs }: Fault, input: unknown): boolean {
  if (longerThanMs === undefined && containsMs === undefined) return true;
  const { from, to } = (input ?? {}) as Record<string, unknown>;
  // Milliseconds since 1970 are exact as numbers; what is larger is no time of a test.
  const [first, last] = [Number(from), Number(to)];
  if (longerThanMs !== undefined && !(last - first + 1 > longerThanMs)) return false;
  return containsMs === undefined || (first <= containsMs && containsMs <= last);
}
