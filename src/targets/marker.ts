import { createHmac, timingSafeEqual } from 'node:crypto';

/** The database of the export jobs: what their tasks are marked with. */
export interface Installation {
  /** In every marker, for all to see. */
  id: string;
  /** What markers are signed with. */
  secret: string;
}

/** What every marker begins with, of whatever installation. */
export const anyMarkerPrefix = 'xp1-';

/** What the taskName of every task of an installation's export jobs begins with. */
export const markerPrefix = (installation: string) => `${anyMarkerPrefix}${installation}-`;

/** An attempt of a slice, of which a task is. */
interface AttemptName {
  jobId: string;
  slice: number;
  attempt: number;
}

/**
 * The taskName of an attempt, by which it is found again. `random` makes it nobody else's, also after
 * the database was put back; by the signature behind it a task of ours is known without a row of it,
 * and a name that only looks like one is not.
 */
export function makeMarker(
  installation: Installation,
  { jobId, slice, attempt }: AttemptName,
  random: string,
): string {
  const unsigned = `${markerPrefix(installation.id)}${jobId}-${slice}-${attempt}-${random}`;
  return unsigned + signatureOf(installation, unsigned);
}

/** Whether this installation made the marker. */
export function isOwnMarker(installation: Installation, taskName: string): boolean {
  const signature = Buffer.from(taskName.slice(-signatureDigits));
  const right = Buffer.from(signatureOf(installation, taskName.slice(0, -signatureDigits)));
  return signature.length === right.length && timingSafeEqual(signature, right);
}

const signatureDigits = 16;

function signatureOf({ secret }: Installation, unsigned: string): string {
  return createHmac('sha256', secret).update(unsigned).digest('hex').slice(0, signatureDigits);
}

/** The job a taskName names, if it has the form of a marker. Whether it is the truth the database knows. */
export function jobOfMarker(taskName: string | undefined): string | undefined {
  const parts = taskName?.split('-') ?? [];
  return parts[0] === 'xp1' && parts.length > 5 ? parts.slice(2, -3).join('-') : undefined;
}
