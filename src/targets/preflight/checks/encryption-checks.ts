import type { BucketEncryption, KmsKey, Reading } from '#aws/storage/storage.ts';
import type { Check } from '../check.ts';
import type { ExportSource } from '../policies/export-statements.ts';
import { isRead, knownValue, unreadable } from '../readings.ts';
import { checkKeyPolicy } from './key-policy-check.ts';

/** The default encryption of a bucket, and its key if it uses SSE-KMS. */
export interface EncryptionReadings {
  encryption: Reading<BucketEncryption>;
  key?: Reading<KmsKey>;
  keyPolicy?: Reading<string>;
}

/** Whether a bucket encrypts with a key of KMS in a way that exports support. */
export function isKmsEncryption(encryption: BucketEncryption | undefined): boolean {
  return encryption?.algorithm === 'aws:kms';
}

/** Checks the default encryption of the bucket, and its key. */
export async function checkEncryption(
  source: ExportSource & { logGroupName?: string | undefined },
  { encryption, key, keyPolicy = { outcome: 'denied' } }: EncryptionReadings,
): Promise<Check[]> {
  const check = checkAlgorithm(encryption);
  if (!key) return [check];
  const fault =
    checkKeyRegion(knownValue(encryption)?.keyId, source.region) ??
    (isRead(key) ? checkKey(knownValue(key)) : unreadable('key-policy', keySubject, key));
  if (fault) return [check, fault];
  const { arn: keyArn = '' } = knownValue(key) ?? {};
  return [check, await checkKeyPolicy({ ...source, keyArn }, keyPolicy)];
}

const keySubject = { what: 'the key of the bucket', permission: 'kms:DescribeKey' };

function checkAlgorithm(reading: Reading<BucketEncryption>): Check {
  const name = 'encryption';
  if (!isRead(reading)) {
    const what = 'the default encryption of the bucket';
    return unreadable(name, { what, permission: 's3:GetEncryptionConfiguration' }, reading);
  }
  const algorithm = knownValue(reading)?.algorithm ?? 'AES256';
  switch (algorithm) {
    case 'AES256':
      return { name, verdict: 'pass', detail: 'The bucket uses SSE-S3.' };
    case 'aws:kms':
      return { name, verdict: 'pass', detail: 'The bucket uses SSE-KMS.' };
    case 'aws:kms:dsse':
      return {
        name,
        verdict: 'fail',
        detail: 'The bucket uses DSSE-KMS, which exports of CloudWatch Logs do not support.',
        remedy: 'Set the default encryption of the bucket to SSE-KMS or SSE-S3.',
      };
    default:
      return { name, verdict: 'unknown', detail: `The bucket uses the encryption ${algorithm}.` };
  }
}

/** Checks the Region in the ARN of a key: KMS finds no key of another Region. */
function checkKeyRegion(keyId: string | undefined, region: string): Check | undefined {
  const [, , , keyRegion = region] = keyId?.split(':') ?? [];
  if (keyRegion === region) return undefined;
  return failedKey(`The key is in ${keyRegion}, but the bucket is in ${region}.`, otherKey);
}

/** Checks the key itself. Returns a check if its policy does not matter. */
function checkKey(key: KmsKey | undefined): Check | undefined {
  if (!key) return failedKey('KMS has no key with the id that the bucket names.', otherKey);
  if (!key.isEnabled) {
    return failedKey(
      `The key is not enabled: its state is ${key.state}.`,
      'Enable the key, or set another key as the default encryption of the bucket.',
    );
  }
  if (!key.isAwsManaged) return undefined;
  return {
    name: 'key-policy',
    verdict: 'warn',
    detail:
      'The bucket uses the AWS managed key of S3. Nobody can change its key policy, and AWS documents no permission of CloudWatch Logs to use it.',
    remedy: 'Use a customer managed key, or set the default encryption of the bucket to SSE-S3.',
  };
}

const failedKey = (detail: string, remedy: string): Check => {
  return { name: 'key-policy', verdict: 'fail', detail, remedy };
};

const otherKey = 'Set another key as the default encryption of the bucket.';
