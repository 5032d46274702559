const dayMs = 86_400_000;

/**
 * The limits that problem texts state. They stand here because the catalogue imports no other room:
 * the room that enforces a limit imports it, so that text and behaviour cannot differ. Sizes in bytes,
 * times in milliseconds.
 */
export const statedLimits = {
  // For most operations. The largest valid body of POST /export-tasks is about 6 KiB in plain text, and
  // six times that with every character escaped. Lower: it does not fit. Higher: it only serves a caller
  // that wants to keep us parsing, and POST /authorization-checks with more groups than anyone has.
  bodyBytes: 65_536,
  // Of POST /export-jobs: a thousand names of 512 characters are half of it.
  jobBodyBytes: 1_048_576,
  // All bodies of one caller: two jobs of a thousand long names. Lower: the largest body does not fit.
  // Higher: a few callers take the room of all.
  callerBodiesBytes: 1_048_576,
  // Members and items of a body. The largest valid body has a thousand names in one array. Lower: a
  // list that is somewhat too long is not refused by its own rule. Higher: parsing, checking and
  // reporting that many members keeps every other request waiting.
  bodyValues: 4_096,
  // Levels of nesting. Valid bodies have four.
  bodyDepth: 16,
  // A task id of 512 characters, percent-encoded, and a long nextToken fit. Below the header limit, so
  // that a long URL can be told from long headers.
  urlBytes: 4_096,
  headerBytes: 8_192,
  // Node's defaults are 60 s and 300 s: a slow sender would hold a connection that long.
  headersMs: 5_000,
  requestMs: 10_000,
  // Slices of one job. Higher: one job is days of a slot even if each task takes seconds, and one
  // transaction of many megabytes.
  slicesPerJob: 10_000,
  // Slices of one job that come from splits. Lower: a large log group of many days is split only in part.
  // Higher: a log group that AWS cannot export keeps the slot busy for days.
  splitSlicesPerJob: 1_000,
  // Archives of one caller that have not ended. Each is looked at every two minutes. Higher: one caller
  // keeps the service busy with looks.
  archivesPerCaller: 100,
  // Log groups of one archive. Higher: a listing takes more than a minute of the calls to AWS.
  logGroupsPerArchive: 10_000,
  // Backfills of one archive, over all time, and as many waivers. Each look reads the backfills. Higher:
  // looks take longer.
  backfillsPerArchive: 1_000,
  waiversPerArchive: 1_000,
  // The names of log groups in all backfills of an archive, in characters of JSON. Looks and coverage read them all.
  // Higher: each of them reads megabytes.
  backfillNamesPerArchive: 5_000_000,
  // Webhook endpoints of one caller. Each event becomes a delivery for each of them. Higher: one caller's events fill
  // the outbox.
  webhookEndpointsPerCaller: 10,
  // Deliveries of an endpoint that are pending after failed ones are sent again. Higher: one request makes more of them
  // at the receiver, which can be a third party.
  replaysPerRequest: 100,
  // Test events of an endpoint that are pending when another one is added. Higher: test
  // events of one caller delay the events of all.
  pendingAtTest: 100,
  // From when a partition is exportable until its first log events expire. Lower: no export ends in
  // time. Higher: log groups are refused that work.
  shortestExportMs: 3_600_000,
  // Open event streams of one process, and as many long polls. Each is a socket. Higher: callers of
  // everything else run out of file descriptors.
  streamsPerProcess: 1_000,
  // Tasks of the shared page that answers most reads. AWS has no larger page.
  newestTasks: 50,
  // How long after a create was sent it may still take effect or become visible. AWS does not document
  // it. Lower: a late effect is exported twice. Higher: each lost answer costs the slot more minutes.
  // The orphan sweep finds what is later still.
  lateEffectMs: 120_000,
  // AWS ends an export task after 24 hours. Lower: a task that still runs is exported twice.
  vanishedMs: 25 * 3_600_000,
  // When a task that still runs is cancelled and its slice is split. AWS ends a task after 24 hours, and its
  // export is lost. Lower: tasks are cancelled that would complete. Higher: AWS ends the task before a refused
  // cancel was sent again, and before AWS has cancelled it.
  splitAfterMs: 23.5 * 3_600_000,
  // How long the Idempotency-Key of a deleted job is kept. A job is deleted after its end, so this is at
  // least as long after its end. Lower: a client that repeats a request after a long holiday exports
  // twice. Higher: millions of keys fill the database.
  keyAfterDeletionMs: 7 * dayMs,
  // How long the id of a deleted job is known. Task names contain it, and AWS does not document how long
  // it lists a task. Lower: a task of a deleted job that AWS still lists looks like an orphaned one, and
  // a running task with a copied name is cancelled. Higher: ids of long ago fill the database.
  idAfterDeletionMs: 400 * dayMs,
} as const;

/** Limits of AWS that texts state. Times in milliseconds. */
export const awsLimits = {
  /** Calls of one operation, per account and Region. */
  callsPerSecond: 5,
  /** The longest run of an export task. */
  taskMs: 24 * 3_600_000,
  /** "Log data can take up to 12 hours to become available for export". */
  settlingMs: 12 * 3_600_000,
} as const;

/** A number as texts have it: 10,000. */
export const inDigits = (value: number): string => value.toLocaleString('en');

/** A duration as texts have it: 10 seconds, 2 minutes, 25 hours, 7 days. */
export function inWords(ms: number): string {
  if (ms % dayMs === 0 && ms > dayMs) return `${ms / dayMs} days`;
  if (ms % 3_600_000 === 0) return countOf(ms / 3_600_000, 'hour');
  return ms % 60_000 === 0 ? `${ms / 60_000} minutes` : `${ms / 1_000} seconds`;
}

/** Writes a count with its noun: "1 slice", "10,000 slices". */
export function countOf(count: number, noun: string): string {
  return `${inDigits(count)} ${noun}${count === 1 ? '' : 's'}`;
}
