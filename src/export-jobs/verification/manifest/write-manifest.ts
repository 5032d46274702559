import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { CallOptions } from '#aws/call-options.ts';
import { objectsPrefixOf } from '#aws/destination-prefix.ts';
import type { Storage } from '#aws/storage/storage.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { toDateTime } from '#time/date-time.ts';
import type { ClaimedVerification } from '../../store/verifications/claim-verification.ts';
import type { Findings } from '../../store/verifications/findings.ts';
import { compressFiles, listFiles } from './list-files.ts';
import { filesKeyOf, type Manifest, type ManifestObject, manifestKeyOf } from './manifest.ts';

/** A manifest in S3. */
export interface WrittenManifest {
  key: string;
  /** In hex. */
  sha256: string;
}

/** The result of writing a manifest. */
type Writing =
  | { outcome: 'written'; manifest: WrittenManifest }
  /** There is an object with this key and another content. */
  | { outcome: 'differs'; key: string }
  /** There are other objects than the findings say. */
  | { outcome: 'changed' }
  /** The role may not write it, or may not read the one that is there. */
  | { outcome: 'refused'; problem: Problem };

/** What a manifest is made of. */
interface ManifestOptions {
  storage: Storage;
  target: Pick<OpenTarget, 'accountId' | 'region'>;
  claim: ClaimedVerification;
  findings: Findings;
  options: CallOptions;
  /** The most objects that a manifest has in itself. More have a list beside it. Default: 10,000. */
  maxInlineObjects?: number;
}

/**
 * Writes the manifest of an export once. Its bytes depend only on stored rows and on the objects, so a
 * process that writes it again after a crash finds its own bytes.
 */
export async function writeManifest(of: ManifestOptions): Promise<Writing> {
  const { storage, claim, findings, options, maxInlineObjects = 10_000 } = of;
  const key = manifestKeyOf(claim.destinationPrefix, claim.taskId);
  const seen = { objects: 0, bytes: 0 };
  const files = counted(listFiles(storage, claim, options), seen);
  const hasChanged = () => seen.objects !== findings.objects || seen.bytes !== findings.bytes;
  let listed: Pick<Manifest, 'objects' | 'filesKey' | 'filesSha256'>;
  if (findings.objects <= maxInlineObjects) {
    const objects: ManifestObject[] = [];
    for await (const page of files) objects.push(...page);
    if (hasChanged()) return { outcome: 'changed' };
    listed = { objects };
  } else {
    const filesKey = filesKeyOf(claim.destinationPrefix, claim.taskId);
    const body = await compressFiles(files);
    if (hasChanged()) return { outcome: 'changed' };
    const type = { contentType: 'application/x-ndjson', contentEncoding: 'gzip' };
    const written = await writeOnce(of, { key: filesKey, body, ...type });
    if (written.outcome !== 'written') return written;
    listed = { filesKey, filesSha256: written.manifest.sha256 };
  }
  const text = `${JSON.stringify({ ...toManifest(of), ...listed }, null, 2)}\n`;
  return writeOnce(of, { key, body: Buffer.from(text), contentType: 'application/json' });
}

/** Counts the objects of pages that pass. */
async function* counted(
  pages: AsyncIterable<ManifestObject[]>,
  seen: { objects: number; bytes: number },
): AsyncGenerator<ManifestObject[]> {
  for await (const page of pages) {
    for (const { size } of page) seen.bytes += size;
    seen.objects += page.length;
    yield page;
  }
}

/** The members of a manifest before its objects, in their order. */
function toManifest({ target, claim, findings }: ManifestOptions): Manifest {
  const { accountId, region } = target;
  const { logGroupName, logStreamNamePrefix, fromAt, toAt, taskId, jobId, slice, attempt } = claim;
  const { caller, destination, submittedAt, taskCreatedAt, taskCompletedAt } = claim;
  const { method, objects, bytes, streams, isEmpty, evidence, count } = findings;
  return {
    formatVersion: 1,
    accountId,
    region,
    logGroupName,
    ...(logStreamNamePrefix !== null && { logStreamNamePrefix }),
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    taskId,
    jobId,
    slice,
    attempt,
    caller,
    bucket: destination,
    prefix: objectsPrefixOf(claim),
    submittedAt: toDateTime(submittedAt),
    ...(taskCreatedAt !== null && { taskCreatedAt: toDateTime(taskCreatedAt) }),
    ...(taskCompletedAt !== null && { taskCompletedAt: toDateTime(taskCompletedAt) }),
    verification: method,
    totals: {
      objects,
      bytes,
      streams,
      ...(count && { lines: count.lines, records: count.records }),
    },
    isEmpty,
    ...(evidence.emptiness && { emptinessEvidence: evidence.emptiness }),
    ...(count && { count: { events: count.events } }),
  };
}

/** Writes an object unless it is there. One that is there must have the same bytes. */
async function writeOnce(
  { storage, claim, options }: ManifestOptions,
  object: { key: string; body: Buffer; contentType: string; contentEncoding?: string },
): Promise<Writing> {
  const { key, body } = object;
  const place = { bucket: claim.destination, key };
  const sha256 = createHash('sha256').update(body).digest('hex');
  try {
    const outcome = await storage.writeOnce({ ...place, ...object }, options);
    const isOurs =
      outcome === 'written' ||
      (await sha256Of(await storage.readObject(place, options))) === sha256;
    return isOurs ? { outcome: 'written', manifest: { key, sha256 } } : { outcome: 'differs', key };
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.slug !== 'service-role-not-permitted')
      throw problem;
    return { outcome: 'refused', problem };
  }
}

async function sha256Of(content: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}
