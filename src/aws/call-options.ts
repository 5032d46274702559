import type { Lane } from './call-budget/call-budget.ts';

/** The export that the policies permit. A scoped session is limited to it. */
export interface ExportGrant {
  logGroupName: string;
  destination: string;
  destinationPrefix: string;
}

/** The export that one verification looks at. A scoped session is limited to it. */
export interface VerificationGrant extends ExportGrant {
  taskId: string;
}

/** Options of every call. */
export interface CallOptions {
  /** The id of the caller. Default: the gateway itself. */
  caller?: string | undefined;
  /** Its priority among the calls of a target. Default: that of its operation. */
  lane?: Lane | undefined;
  /** Aborts when the caller has disconnected. A call that still waits is then not sent. */
  signal?: AbortSignal | undefined;
}

/** Options of CreateExportTask. */
export interface CreateCallOptions extends CallOptions {
  /** Checked just before the first byte. If false, the outcome is `not-sent`. */
  maySend?: () => boolean;
  /** The export the caller may create. With scoped sessions, nothing is possible without it. */
  grant?: ExportGrant | undefined;
}

/** Options of a call that reads events of a log group. */
export interface EventCallOptions extends CallOptions {
  /**
   * The verification that needs the events. With scoped sessions, the call is made in its session.
   * Default: in the session of the role.
   */
  grant?: VerificationGrant | undefined;
}
