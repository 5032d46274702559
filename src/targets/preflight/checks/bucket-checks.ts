import type { BucketFacts, Reading } from '#aws/storage/storage.ts';
import type { Check } from '../check.ts';
import { askFor, unreadable } from '../readings.ts';

/** The bucket of an export, and the Region of its log groups. */
interface BucketQuery {
  bucket: string;
  region: string;
}

/** Checks that the bucket exists, its Region, and its owner. */
export function checkBucket(
  { bucket, region }: BucketQuery,
  reading: Reading<BucketFacts>,
): Check[] {
  switch (reading.outcome) {
    case 'known': {
      const { value } = reading;
      const exists: Check = { name: 'bucket', verdict: 'pass', detail: `Bucket ${bucket} exists.` };
      const place = checkRegion(value.region, region);
      // S3 does not tell the owner of a bucket in another Region.
      return value.region === region ? [exists, place, checkOwner(value.isOwn)] : [exists, place];
    }
    case 'absent':
      return [
        {
          name: 'bucket',
          verdict: 'fail',
          detail: `S3 has no bucket with the name ${bucket}.`,
          remedy: `Create the bucket in ${region}, or correct \`destination\`.`,
        },
      ];
    default:
      return [unreadable('bucket', { what: 'the bucket', permission: 's3:ListBucket' }, reading)];
  }
}

function checkRegion(found: string, region: string): Check {
  const name = 'bucket-region';
  if (found === region) return { name, verdict: 'pass', detail: `The bucket is in ${region}.` };
  return {
    name,
    verdict: 'fail',
    detail: `The bucket is in ${found}, but the log groups are in ${region}. CloudWatch Logs exports only to a bucket in its own Region.`,
    remedy: `Choose a bucket in ${region}. To have the objects in ${found}, add S3 replication to that bucket.`,
  };
}

function checkOwner(isOwn: boolean | undefined): Check {
  const name = 'bucket-owner';
  switch (isOwn) {
    case true:
      return { name, verdict: 'pass', detail: 'The bucket belongs to the account of the target.' };
    case false:
      return {
        name,
        verdict: 'pass',
        detail:
          'The bucket belongs to another account. Its bucket policy must also allow the account of the target to write.',
      };
    default:
      return {
        name,
        verdict: 'unknown',
        detail: 'The service role may not see which account owns the bucket.',
        remedy: askFor('s3:ListBucket'),
      };
  }
}
