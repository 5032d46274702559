import { createHmac, timingSafeEqual } from 'node:crypto';

/** One database of export jobs: its id and its key for markers. */
export interface Installation {
  /** The public part: it is in every marker. */
  id: string;
  /** The key that signs markers. */
  secret: string;
}

/** The prefix of all markers, of any installation. */
export const anyMarkerPrefix = 'xp1-';

/** The prefix of the markers of one installation. */
export const markerPrefix = (installation: string) => `${anyMarkerPrefix}${installation}-`;

/** An attempt of a slice. */
interface AttemptName {
  jobId: string;
  slice: number;
  attempt: number;
}

/**
 * The taskName of an attempt, by which its task is found again. `random` makes it unique, even after the
 * database was restored from a backup. The signature identifies a task of this installation that has no
 * row, and exposes a name that only looks like a marker.
 */
export function makeMarker(
  installation: Installation,
  { jobId, slice, attempt }: AttemptName,
  random: string,
): string {
  const unsigned = `${markerPrefix(installation.id)}${jobId}-${slice}-${attempt}-${random}`;
  return unsigned + signatureOf(installation, unsigned);
}

/** Whether this installation made the marker (its signature is valid). */
export function isOwnMarker(installation: Installation, taskName: string): boolean {
  const signature = Buffer.from(taskName.slice(-signatureDigits));
  const expected = Buffer.from(signatureOf(installation, taskName.slice(0, -signatureDigits)));
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

const signatureDigits = 16;

function signatureOf({ secret }: Installation, unsigned: string): string {
  return createHmac('sha256', secret).update(unsigned).digest('hex').slice(0, signatureDigits);
}

/** The job id in a taskName, if it has the form of a marker. Its signature is not checked. */
export function jobOfMarker(taskName: string | undefined): string | undefined {
  const parts = taskName?.split('-') ?? [];
  return parts[0] === 'xp1' && parts.length > 5 ? parts.slice(2, -3).join('-') : undefined;
}
