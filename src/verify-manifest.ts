import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import type { Aws } from '#aws/regions/open-aws.ts';
import { makeStorageCalls } from '#aws/storage/calls/storage-calls.ts';
import { makeStorage } from '#aws/storage/make-storage.ts';
import type { ObjectPlace, Storage } from '#aws/storage/storage.ts';
import { checkManifest } from '#export-jobs/manifest-check/check-manifest.ts';
import { parseManifest } from '#export-jobs/manifest-check/open-manifest.ts';
import { Problem } from '#problems/problem.ts';

const usage = `Usage: npm run verify -- [--deep] <manifest>

Compares the manifest of an export with the objects in S3. It changes nothing. The manifest is an S3 URL or
a file:

  npm run verify -- s3://my-archive/exports/_manifest-<taskId>.json
  npm run verify -- --deep _manifest-<taskId>.json

--deep downloads the objects, computes their checksums and counts their lines.

The credentials come from the usual places of the AWS SDK, such as AWS_PROFILE. They need s3:ListBucket and
s3:GetObject. Each difference is one line. The exit code is 0 if nothing differs, 1 if something differs,
and 2 if the manifest or S3 could not be read.
`;

/** What the tool of an auditor works with. */
export interface VerifyOptions {
  aws: Aws;
  /** The Region in which a bucket is looked for first. S3 says which one it is in. */
  defaultRegion: string;
  /** Receives the lines of the result. */
  write(line: string): void;
}

/** Compares a manifest with S3, as its command line says. Returns the exit code. */
export async function verifyManifest(
  words: string[],
  { write, ...options }: VerifyOptions,
): Promise<0 | 1 | 2> {
  try {
    return await verify(words, { ...options, write: (line) => write(escapeControls(line)) });
  } catch (error) {
    write(error instanceof Problem ? explain(error) : (error as Error).message);
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
  if (slug === 'service-role-not-permitted') {
    return `AWS denied this action to your credentials${code}. They need s3:ListBucket and s3:GetObject.`;
  }
  if (slug === 'service-role-unusable') {
    return `Your credentials are missing, or AWS does not accept them${code}.`;
  }
  return detail;
}

async function verify(words: string[], { aws, defaultRegion, write }: VerifyOptions) {
  const { source, isDeep } = readWords(words);
  const storageIn = (region: string) => openStorageIn(aws, region);
  let differences = 0;
  const report = (difference: string) => {
    differences += 1;
    write(difference);
  };

  const place = readPlace(source);
  const storage = place && storageIn(await readRegion(storageIn(defaultRegion), place.bucket));
  const json = storage ? await text(await storage.readObject(place)) : readFileSync(source, 'utf8');
  const manifest = parseManifest(json, report);
  if (manifest) {
    const inRegion = storageIn(manifest.region);
    await checkManifest(manifest, { storage: inRegion, place, isDeep, report });
    const { objects, bytes } = manifest.totals;
    if (differences === 0) write(`Nothing differs: ${objects} objects, ${bytes} bytes.`);
  }
  if (differences === 0) return 0;
  write(`Differences: ${differences}.`);
  return 1;
}

function readWords(words: string[]): { source: string; isDeep: boolean } {
  const { values, positionals } = parseArgs({
    args: words[0] === 'verify' ? words.slice(1) : words, // as in: npx log-export-gateway verify
    options: { deep: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [source, ...others] = positionals;
  if (source === undefined || others.length > 0) throw new Error(usage);
  return { source, isDeep: values.deep };
}

/** The place of an S3 URL; undefined for a file. The key of an object may contain any character. */
function readPlace(source: string): ObjectPlace | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(source) ?? [];
  return bucket !== undefined && key !== undefined ? { bucket, key } : undefined;
}

async function readRegion(storage: Storage, bucket: string): Promise<string> {
  const reading = await storage.readBucket(bucket);
  if (reading.outcome === 'known') return reading.value.region;
  if (reading.outcome === 'unknown') throw reading.problem;
  throw new Error(
    reading.outcome === 'absent'
      ? `The bucket ${bucket} does not exist.`
      : `The credentials may not look at the bucket ${bucket}.`,
  );
}

/** S3 in a Region, as the auditor sees it. */
function openStorageIn(aws: Aws, region: string): Storage {
  const calls = makeStorageCalls({ region: aws.region(region), credentials: undefined });
  return makeStorage(calls, { accountId: undefined, region });
}
