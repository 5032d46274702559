import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { bucket, type openAws } from '../aws.ts';

/** Makes a directory for the emulator of a test. It is removed when the test ends. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'emulator-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** The paths of the files in a directory and below. */
export const filesIn = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();

/** Everything that S3 shows of the objects of the bucket. */
export async function look({ s3, keys }: Awaited<ReturnType<typeof openAws>>) {
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  const heads = (await keys()).map(async (Key) => {
    const wanted = { Bucket: bucket, Key, ChecksumMode: 'ENABLED' } as const;
    const { $metadata: _, ...head } = await s3.send(new HeadObjectCommand(wanted));
    return head;
  });
  return { Contents, heads: await Promise.all(heads) };
}
