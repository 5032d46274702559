/** The audit of jobs: actions of callers and calls to AWS, with the policies that permitted them. Only the purge deletes old ones. */
export interface AuditEntryRow {
  at: number;
  /** Null for a task of an unknown job. */
  jobId: string | null;
  /** The version of the job after the change; null if the job did not change. */
  version: number | null;
  /** The type of the event of that version. */
  change: string | null;
  principal: string;
  action: string;
  /** The id of the request, or the marker of the attempt. */
  requestId: string;
  /** Ids of the policies that made the decision, as JSON. */
  policies: string;
  target: string;
  slice: number | null;
  logGroupName: string | null;
  destination: string | null;
  destinationPrefix: string | null;
  taskId: string | null;
  awsRequestId: string | null;
  /** `ok`, or the slug of the problem. */
  outcome: string;
  /** SHA-256 of the manifest, in hex; null if the change has none. */
  manifestSha256: string | null;
  /** The archive that was changed, or whose job it is; null if there is none. */
  archiveId: string | null;
  /** The reason that the caller gave, for a change of an archive; null if it gave none. */
  reason: string | null;
}
