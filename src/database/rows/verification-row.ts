import type { Generated } from 'kysely';

/**
 * The verification of a completed export task: whether its objects are in S3. There is at most one for
 * each attempt. Instants are epoch ms by the clock of the database.
 */
export interface VerificationRow {
  jobId: string;
  slice: number;
  attempt: number;
  target: string;
  /** The caller of the job; empty if an older version began it, until claims read it. */
  caller: Generated<string>;
  /** Where the task ran. Only a target with this account and Region can verify it. */
  accountId: string;
  region: string;
  taskId: string;
  beganAt: number;
  /** When to look next. */
  dueAt: number;
  /** How often a process has taken it up. It is the fencing number of its lease. */
  looks: Generated<number>;
  /** How many queries of CloudWatch Logs Insights were started to count its log events. */
  queries: Generated<number>;
  owner: string | null;
  leasedUntil: Generated<number>;
  endedAt: number | null;
  /** What was compared: `objects`, `count`, or `skipped` without permission. Null until it is known. */
  method: string | null;
  /** What is under the prefix of the task; null if it could not be listed. Sizes in bytes. */
  objects: number | null;
  bytes: number | null;
  streams: number | null;
  /** With `count`: what is in the objects. */
  lines: number | null;
  records: number | null;
  /** With `count`: the log events of the window, as CloudWatch Logs Insights counts them. */
  events: number | null;
  isEmpty: 0 | 1 | null;
  /** What shows that the export is empty, or why it was not counted, as JSON. */
  evidence: string | null;
  manifestKey: string | null;
  /** In hex. */
  manifestSha256: string | null;
}
