/** What each kind of fault does to one request. Times are in milliseconds. */
type FaultKind =
  /** The connection is reset, nothing happened. */
  | { kind: 'reset-before' }
  /** It happened, then the connection is reset. */
  | { kind: 'reset-after' }
  /** Never an answer, nothing happened; the socket stays open until the client closes it. */
  | { kind: 'silence-before' }
  /** It happened, but never an answer. */
  | { kind: 'silence-after' }
  /**
   * An error answer, before the effect or after it. Without `code` it is InternalFailure; without
   * `status` 400, for InternalFailure 500, for ServiceUnavailableException the option
   * `serviceUnavailableStatus`. `rawBody` is sent as it is.
   */
  | {
      kind: 'error';
      status?: number;
      code?: string;
      message?: string;
      headers?: Record<string, string>;
      rawBody?: string;
      afterEffect?: boolean;
    }
  /** It happened; the answer breaks off after half of the body it announced. */
  | { kind: 'cut-body' }
  /** It happened; the answer stops after half of the body, and the connection stays open. */
  | { kind: 'stall-body' }
  /** It happened; the answer is 200 with this body instead. */
  | { kind: 'replace-body'; body: string; contentType?: string }
  /**
   * Nothing yet: the effect comes when the clock has passed the delay. Until then reset or silence.
   */
  | { kind: 'late-effect'; delayMs: number; meanwhile?: 'reset' | 'silence' }
  /** DescribeExportTasks does not show tasks younger than this. */
  | { kind: 'stale-listing'; lagMs: number }
  /** A wait of real time before the operation. */
  | { kind: 'delay'; ms: number }
  /** Just before CreateExportTask, a task of somebody else takes the slot. */
  | { kind: 'foreign-task'; durationMs: number }
  /** The task this CreateExportTask makes runs its time and then ends FAILED. */
  | { kind: 'task-fails' };

/**
 * A fault to play on requests to come: the first `skip` matching ones pass, the next `count`
 * (default 1) are hit. `operation` is AWS's name or '*' for any; with `logGroupName` only requests
 * about that log group match. One request meets at most one
 * fault, the one added first. A kind that changes one certain operation does nothing to others.
 */
export type Fault = FaultKind & {
  operation: string;
  logGroupName?: string;
  count?: number;
  skip?: number;
};

/** The faults still to be played. */
export interface Faults {
  /** Throws on an unknown kind or a missing operation. */
  add(fault: Fault): void;
  clear(): void;
  pending(): Fault[];
}

const kinds = new Set<Fault['kind']>([
  'reset-before',
  'reset-after',
  'silence-before',
  'silence-after',
  'error',
  'cut-body',
  'stall-body',
  'replace-body',
  'late-effect',
  'stale-listing',
  'delay',
  'foreign-task',
  'task-fails',
]);

/** Makes an empty list; `take` gives the fault a request has to meet and counts it. */
export function makeFaults(): Faults & {
  take(operation: string, input: unknown): Fault | undefined;
} {
  let pending: (Fault & { count: number; skip: number })[] = [];

  return {
    add: (fault) => {
      // A fault nobody knows would let a test pass for the wrong reason.
      if (!kinds.has(fault.kind)) throw new Error(`There is no fault ${fault.kind}.`);
      if (!fault.operation) throw new Error('A fault needs the operation it is for, or *.');
      pending.push({ ...fault, count: fault.count ?? 1, skip: fault.skip ?? 0 });
    },
    clear: () => {
      pending = [];
    },
    pending: () => pending.map((fault) => ({ ...fault })),
    take(operation, input) {
      const { logGroupName } = (input ?? {}) as { logGroupName?: unknown };
      for (const fault of pending) {
        if (fault.operation !== '*' && fault.operation !== operation) continue;
        if (fault.logGroupName !== undefined && fault.logGroupName !== logGroupName) continue;
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
