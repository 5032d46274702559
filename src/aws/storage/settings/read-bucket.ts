import type { CallOptions } from '../../call-options.ts';
import { unexpectedAnswer } from '../../client/unexpected-answer.ts';
import type { S3 } from '../calls/sdk.ts';
import type { ServiceCalls } from '../calls/storage-calls.ts';
import type { BucketFacts, Reading, StorageOwner } from '../storage.ts';
import { toReading } from './reading.ts';

/** An answer to HeadBucket. It has no body, only a status. */
interface BucketHead {
  status: number;
  region: string | undefined;
  $metadata: object;
}

/**
 * Reads the Region and the owner of a bucket. S3 answers 403 both to a role that may not look, and when
 * the expected owner is another account. The second call, without an expected owner, tells them apart.
 */
export function readBucketFacts(
  s3: ServiceCalls<S3>,
  owner: StorageOwner,
  bucket: string,
  options: CallOptions | undefined,
): Promise<Reading<BucketFacts>> {
  const head = (expectedOwner: string | undefined) =>
    s3({ operation: 'HeadBucket', bucket, options }, ({ client, sdk }, how) =>
      client
        .send(
          new sdk.HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: expectedOwner }),
          how,
        )
        .then(
          (answer) => {
            const { BucketRegion: region, $metadata } = answer;
            if (region === undefined) throw unexpectedAnswer(answer, 'BucketRegion');
            return { status: 200, region, $metadata };
          },
          (error) => toBucketHead(error, expectedOwner !== undefined),
        ),
    );

  async function readHeads(): Promise<BucketHead & Pick<BucketFacts, 'isOwn'>> {
    const { accountId } = owner;
    const own = await head(accountId);
    const isOwn = (accountId !== undefined && own.status === 200) || undefined;
    if (accountId === undefined || own.status !== 403) return { ...own, isOwn };
    const any = await head(undefined);
    return { ...any, isOwn: any.status === 200 ? false : undefined };
  }

  return toReading(
    readHeads().then(({ status, region = owner.region, isOwn }) => ({
      value: status === 404 ? undefined : { region, isOwn },
    })),
  );
}

/**
 * Reads the error of HeadBucket. S3 shows the Region of a bucket even to a role that may not look. A 403 is
 * an answer, too, if it may be about the expected owner.
 */
function toBucketHead(error: SdkError, mayBeAboutOwner: boolean): BucketHead {
  const { $metadata, $response } = error;
  const status = $metadata?.httpStatusCode ?? 0;
  const region = $response?.headers?.['x-amz-bucket-region'];
  const hasRegion = region !== undefined && status < 500;
  const isAnswer = hasRegion || status === 404 || (status === 403 && mayBeAboutOwner);
  if (!$metadata || !isAnswer) throw error;
  return { status, region, $metadata };
}

interface SdkError extends Error {
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}
