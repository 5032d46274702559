import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import type { Aws } from '#aws/regions/open-aws.ts';
import { makeStorageCalls } from '#aws/storage/calls/storage-calls.ts';
import { makeStorage } from '#aws/storage/make-storage.ts';
import type { ObjectPlace, Storage } from '#aws/storage/storage.ts';
import { checkManifest } from '#export-jobs/manifest-check/check-manifest.ts';
import { parseManifest } from '#export-jobs/manifest-check/open-manifest.ts';
import { countOf } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

const usageOf = (commandName: string) => `Usage: ${commandName} [--deep] <manifest>

Compares the manifest of an export with the objects in S3. It changes nothing. The manifest is an S3 URL or
a file:

  ${commandName} s3://my-archive/exports/_manifest-<taskId>.json
  ${commandName} --deep _manifest-<taskId>.json

--deep downloads the objects, computes their checksums and counts their lines.

The credentials come from the usual places of the AWS SDK, such as AWS_PROFILE. They need s3:ListBucket and
s3:GetObject, and kms:Decrypt for a bucket with SSE-KMS. The Region is that of AWS_REGION, AWS_DEFAULT_REGION
or the profile. Each difference is one line.

The last line is the SHA-256 of the manifest. Compare it with \`manifest.sha256\` of the slice in
GET /export-jobs/{jobId}/slices: only that shows that nobody has changed the manifest itself.

The exit code is 0 if nothing differs. It is 1 if something differs, or if an object has only another
checksum algorithm, which --deep decides. It is 2 if the manifest or S3 could not be read, or the result
could not be written.
`;

/** What the tool of an auditor works with. */
export interface VerifyOptions {
  aws: Aws;
  /** The Region in which a bucket is looked for first. S3 says which one it is in. */
  defaultRegion: string;
  /** The words that start the tool, for its help. */
  commandName: string;
  /** Receives the lines of the result. */
  write(line: string): void;
  /** Receives why the manifest or S3 could not be read. Default: `write`. */
  writeError?: ((line: string) => void) | undefined;
}

/** Compares a manifest with S3, as its command line says. Returns the exit code. */
export async function verifyManifest(
  words: string[],
  { write, writeError = write, ...options }: VerifyOptions,
): Promise<0 | 1 | 2> {
  try {
    return await verify(words, { ...options, write: (line) => write(escapeControls(line)) });
  } catch (error) {
    writeError(error instanceof Problem ? explain(error) : (error as Error).message);
    return 2;
  }
}

/** Writes control characters as JSON does. The keys of objects may contain any, also those of terminals. */
function escapeControls(line: string): string {
  return line.replaceAll(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The texts of problems are about the service role. Here it is the auditor who calls AWS. */
function explain({ slug, detail, members }: Problem): string {
  const code = members.awsErrorCode === undefined ? '' : ` (${members.awsErrorCode})`;
  if (slug !== 'service-role-unusable') return `${detail}${code}`;
  return `Your credentials are missing, or AWS does not accept them${code}. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
}

/** Names the action that AWS denied to the auditor. S3 also denies it if the key of the object is denied. */
function nameDenial(action: string, resource: string) {
  return (error: unknown): never => {
    if (!(error instanceof Problem) || error.slug !== 'service-role-not-permitted') throw error;
    const [denied = action] = /\bkms:\w+/.exec((error.cause as Error)?.message) ?? [];
    const code = error.members.awsErrorCode ?? 'AccessDenied';
    throw new Error(`AWS denied ${denied} on ${resource} to your credentials (${code}).`);
  };
}

/** S3 as the auditor sees it: denials name the action. */
function namingDenials(storage: Storage): Storage {
  const ofObject = ({ bucket, key }: ObjectPlace) =>
    nameDenial('s3:GetObject', `s3://${bucket}/${key}`);
  return {
    ...storage,
    listObjects: (query, options) =>
      storage
        .listObjects(query, options)
        .catch(nameDenial('s3:ListBucket', `the bucket ${query.bucket}`)),
    readObject: (place, options) => storage.readObject(place, options).catch(ofObject(place)),
    readChecksum: (place, options) => storage.readChecksum(place, options).catch(ofObject(place)),
  };
}

async function verify(words: string[], { aws, defaultRegion, commandName, write }: VerifyOptions) {
  const usage = usageOf(commandName);
  const { source, isDeep, isHelp } = readWords(words, usage);
  if (isHelp) {
    for (const line of usage.trimEnd().split('\n')) write(line);
    return 0;
  }
  const storageIn = (region: string) => openStorageIn(aws, region);
  let differences = 0;
  let undecided = 0;
  const report = (difference: string) => {
    differences += 1;
    write(difference);
  };
  const noteUndecided = (line: string) => {
    undecided += 1;
    write(line);
  };

  const place = readPlace(source);
  const storage = place && storageIn(await readRegion(storageIn(defaultRegion), place.bucket));
  const bytes = storage ? await buffer(await storage.readObject(place)) : readManifestFile(source);
  const manifest = parseManifest(bytes.toString('utf8'), report);
  if (manifest) {
    const inRegion = storageIn(manifest.region);
    const unsummed = await checkManifest(manifest, {
      storage: inRegion,
      place,
      isDeep,
      report,
      noteUndecided,
    });
    const { totals } = manifest;
    if (unsummed > 0) write(`Objects without a checksum in the manifest: ${unsummed}.`);
    if (differences + undecided === 0) {
      write(
        `Nothing differs: ${countOf(totals.objects, 'object')}, ${countOf(totals.bytes, 'byte')}.`,
      );
    }
  }
  if (differences > 0) write(`Differences: ${differences}.`);
  if (undecided > 0) write(`Undecided checksums: ${undecided}.`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  write(`SHA-256 of the manifest: ${sha256}. Compare it with manifest.sha256 of the slice.`);
  return differences + undecided === 0 ? 0 : 1;
}

function readWords(
  words: string[],
  usage: string,
): { source: string; isDeep: boolean; isHelp: boolean } {
  const { values, positionals } = parseArgs({
    args: words[0] === 'verify' ? words.slice(1) : words, // as in: npx log-export-gateway verify
    options: {
      deep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  });
  const [source = '', ...others] = positionals;
  const { deep: isDeep, help: isHelp } = values;
  if (!isHelp && (source === '' || others.length > 0)) throw new Error(usage);
  return { source, isDeep, isHelp };
}

/** The place of an S3 URL; undefined for a file. The key of an object may contain any character. */
function readPlace(source: string): ObjectPlace | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(source) ?? [];
  return bucket !== undefined && key !== undefined ? { bucket, key } : undefined;
}

function readManifestFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`The manifest cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

async function readRegion(storage: Storage, bucket: string): Promise<string> {
  const reading = await storage.readBucket(bucket);
  if (reading.outcome === 'known') return reading.value.region;
  if (reading.outcome === 'unknown') throw reading.problem;
  throw new Error(
    reading.outcome === 'absent'
      ? `The bucket ${bucket} does not exist.`
      : `AWS denied s3:ListBucket on the bucket ${bucket} to your credentials.`,
  );
}

/** S3 in a Region, as the auditor sees it. */
function openStorageIn(aws: Aws, region: string): Storage {
  const calls = makeStorageCalls({ region: aws.region(region), credentials: undefined });
  return namingDenials(makeStorage(calls, { accountId: undefined, region }));
}
