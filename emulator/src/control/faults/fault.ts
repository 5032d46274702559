/** The effect of each kind of fault on one request. Times are in milliseconds. */
type FaultKind =
  /** Resets the connection; the operation has no effect. */
  | { kind: 'reset-before' }
  /** Performs the operation, then resets the connection. */
  | { kind: 'reset-after' }
  /** Sends no answer; the operation has no effect. The socket stays open until the client closes it. */
  | { kind: 'silence-before' }
  /** Performs the operation and sends no answer. */
  | { kind: 'silence-after' }
  /**
   * Answers with an error; performs the operation only with `afterEffect`. Default of `code`:
   * InternalFailure. Default of `status`: 500 for InternalFailure, the option
   * `serviceUnavailableStatus` for ServiceUnavailableException, otherwise 400. `rawBody` replaces the
   * body.
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
  /** Performs the operation, sends half of the body, and closes the connection. */
  | { kind: 'cut-body' }
  /** Performs the operation, sends half of the body, and keeps the connection open. */
  | { kind: 'stall-body' }
  /** Performs the operation and answers 200 with this body. */
  | { kind: 'replace-body'; body: string; contentType?: string }
  /** Resets the connection or sends no answer. Performs the operation when the delay has passed. */
  | { kind: 'late-effect'; delayMs: number; meanwhile?: 'reset' | 'silence' }
  /** Hides tasks younger than this from DescribeExportTasks. */
  | { kind: 'stale-listing'; lagMs: number }
  /** Waits before the operation, or before its answer, in real time. */
  | { kind: 'delay'; ms: number; afterEffect?: boolean }
  /** Starts a task of another client just before CreateExportTask, which takes the slot. */
  | { kind: 'foreign-task'; durationMs: number }
  /** The task of this CreateExportTask runs for its time and then ends FAILED. */
  | { kind: 'task-fails' }
  /** The task of this CreateExportTask runs for `runningMs`, whatever the option of this name says. */
  | { kind: 'task-runs'; runningMs: number }
  /** The task of this CreateExportTask ends COMPLETED, but its last or all objects are never written. */
  | { kind: 'objects-missing'; missing: number | 'all' }
  /**
   * The last or all (default) objects of the task of this CreateExportTask appear `delayMs` after it is
   * COMPLETED, by the clock of the emulator.
   */
  | { kind: 'objects-late'; delayMs: number; of?: number | 'all' }
  /** The first object of the task of this CreateExportTask has only the first half of its bytes. */
  | { kind: 'object-truncated' }
  /**
   * The first `failed` (default: all) entries of this PutEvents fail; the answer is 200. Default of `code`:
   * InternalFailure.
   */
  | { kind: 'entries-fail'; failed?: number; code?: string; message?: string };

/**
 * A fault for coming requests. The first `skip` matching requests pass, the next `count` (default 1)
 * meet the fault. `operation` is AWS's name, or '*' for any. With `logGroupName` only requests about
 * that log group match, with `accountId` only requests of that account. AssumeRole is a request of the
 * account of its role. With `longerThanMs` only requests with a longer time range match, with
 * `containsMs` only requests whose time range contains this instant, in epoch ms. A time range is from
 * `from` to `to` of CreateExportTask, both inclusive. A request meets at most one fault: the one added
 * first. A kind for one operation has no effect on others.
 */
export type Fault = FaultKind & {
  operation: string;
  logGroupName?: string;
  accountId?: string;
  longerThanMs?: number;
  containsMs?: number;
  count?: number;
  skip?: number;
};
