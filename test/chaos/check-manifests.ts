import { createHash } from 'node:crypto';

import type { Evidence, Row, Violation } from './checker.ts';

/** An object of S3. Only manifests have their text. */
export interface EvidentObject {
  size: number;
  text?: string;
}

/** Every completed slice has one manifest of its task, and exactly the objects of that manifest exist. */
export function checkManifests(evidence: Evidence): Violation[] {
  const { objects, slices } = evidence;
  if (!objects) return [];
  const names = [...objects.keys()];
  return slices
    .filter(({ state }) => state === 'completed')
    .flatMap((slice) => checkSlice(slice, { ...evidence, objects }, names))
    .map((text) => ({ invariant: 'INV15', kind: 'lost', text }));
}

function checkSlice(
  slice: Row<'slices'>,
  {
    jobs,
    attempts,
    verifications,
    auditEntries,
    objects,
    hasOldReplicas,
  }: Evidence & {
    objects: ReadonlyMap<string, EvidentObject>;
  },
  names: readonly string[],
): string[] {
  const isOfSlice = (row: { jobId: string | null; slice: number | null }) =>
    row.jobId === slice.jobId && row.slice === slice.number;
  const name = `slice ${slice.jobId}/${slice.number}`;
  const done = verifications.filter((row) => isOfSlice(row) && row.method !== null);
  const [verified] = done;
  if (!verified) return hasOldReplicas ? [] : [`${name} is completed, but not verified`];
  if (done.length > 1) return [`${name} was verified ${done.length} times`];
  const job = jobs.find(({ id }) => id === slice.jobId);
  const attempt = attempts.find((row) => isOfSlice(row) && row.attempt === slice.attempt);
  const bucket = `${job?.destination}/`;
  const place = `${bucket}${attempt?.destinationPrefix}/`;

  const stored = objects.get(`${bucket}${verified.manifestKey}`);
  if (stored?.text === undefined) return [`${name} has no manifest ${verified.manifestKey}`];
  const sha256 = createHash('sha256').update(stored.text).digest('hex');
  const manifest = JSON.parse(stored.text);
  const listed = new Map<string, number>(
    manifest.objects.map(({ key, size }: { key: string; size: number }) => [bucket + key, size]),
  );
  const folder = `${place}${attempt?.taskId}/`;
  const written = names.filter((key) => key.startsWith(folder));
  const isInAudit = auditEntries.some(
    (row) => isOfSlice(row) && row.change === 'slice-completed' && row.manifestSha256 === sha256,
  );
  const isOurs =
    manifest.taskId === attempt?.taskId &&
    manifest.jobId === slice.jobId &&
    manifest.slice === slice.number &&
    manifest.attempt === slice.attempt &&
    manifest.from === new Date(slice.fromAt).toISOString() &&
    manifest.to === new Date(slice.toAt).toISOString();
  return [
    ...(verified.attempt === slice.attempt
      ? []
      : [`${name} has a verification of another attempt`]),
    ...(verified.manifestSha256 === sha256 ? [] : [`${name} has a manifest with other bytes`]),
    ...(isInAudit ? [] : [`${name} has no audit entry with its manifest`]),
    ...(isOurs ? [] : [`${name} has the manifest of another export`]),
    ...(written.length === listed.size && manifest.isEmpty === (listed.size === 0)
      ? []
      : [`${name} has ${written.length} objects, and its manifest ${listed.size}`]),
    ...[...listed]
      .filter(([key, size]) => objects.get(key)?.size !== size)
      .map(([key]) => `${name} has no object ${key} as in its manifest`),
  ];
}
