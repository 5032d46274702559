import type { Generated } from 'kysely';

/**
 * A verified slice of a job: what it proves to be in S3. Rows are never deleted. Instants are epoch ms by
 * the clock of the database; windows are half-open.
 */
export interface CoverageRow {
  jobId: string;
  slice: number;
  attempt: number;
  target: string;
  accountId: string;
  region: string;
  logGroupName: string;
  /** The start of the slice. Of an archive: the later instant from which nothing had expired when it was sent. */
  fromAt: number;
  toAt: number;
  destination: string;
  /** The prefix that AWS was given. */
  destinationPrefix: string;
  taskId: string;
  /** What was compared: `objects` or `count`. */
  method: string;
  isEmpty: 0 | 1;
  /** Sizes in bytes. */
  objects: number | null;
  bytes: number | null;
  /** With `count`: the log events in the objects. */
  events: number | null;
  manifestKey: string | null;
  /** In hex. */
  manifestSha256: string | null;
  /** When the export was sent to AWS. Of two exports of a time, the later one counts. */
  exportedAt: number;
  coveredAt: number;
  /** The archive of its job, and the incarnation of the log group there; null for other jobs. */
  archiveId: string | null;
  incarnation: number | null;
  /** The revision of the partition; 1 for other jobs. */
  revision: Generated<number>;
  /**
   * Whether it proves nothing: the log group was replaced by another one before it was exported. Or it has no
   * objects, and log events can have expired under an earlier retention.
   */
  isVoid: 0 | 1;
}
