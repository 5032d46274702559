import type { CallOptions } from '#aws/call-options.ts';
import { withoutTrailingSlashes } from '#aws/destination-prefix.ts';
import type {
  BucketFacts,
  KmsKey,
  LifecycleRule,
  ObjectLock,
  Reading,
  Storage,
} from '#aws/storage/storage.ts';
import { type EncryptionReadings, isKmsEncryption } from './checks/encryption-checks.ts';
import { knownValue, toUnread } from './readings.ts';

/** What decides whether AWS accepts an export to a bucket. */
export interface DecisiveReadings extends EncryptionReadings {
  bucket: Reading<BucketFacts>;
  policy: Reading<string>;
}

/** All that a preflight reads of a bucket. */
export interface DestinationReadings extends DecisiveReadings {
  ownership: Reading<string>;
  objectLock: Reading<ObjectLock>;
  lifecycle: Reading<LifecycleRule[]>;
  listing: Reading<unknown>;
}

/** Reads what decides about an export, with at most five calls, in parallel where possible. */
export async function readDecisive(
  storage: Storage,
  bucketName: string,
  options: CallOptions,
): Promise<DecisiveReadings> {
  const [bucket, policy, encryption] = await Promise.all([
    storage.readBucket(bucketName, options),
    storage.readBucketPolicy(bucketName, options),
    readEncryption(storage, bucketName, options),
  ]);
  return { bucket, policy, ...encryption };
}

/** Reads a bucket, with at most nine calls. */
export async function readDestination(
  storage: Storage,
  { bucket, destinationPrefix }: { bucket: string; destinationPrefix: string },
  options: CallOptions,
): Promise<DestinationReadings> {
  const prefix = `${withoutTrailingSlashes(destinationPrefix)}/`;
  const [decisive, ownership, objectLock, lifecycle, listing] = await Promise.all([
    readDecisive(storage, bucket, options),
    storage.readObjectOwnership(bucket, options),
    storage.readObjectLock(bucket, options),
    storage.readLifecycle(bucket, options),
    storage
      .listObjects({ bucket, prefix, limit: 1 }, options)
      .then((value): Reading<unknown> => ({ outcome: 'known', value }), toUnread),
  ]);
  return { ...decisive, ownership, objectLock, lifecycle, listing };
}

async function readEncryption(
  storage: Storage,
  bucketName: string,
  options: CallOptions,
): Promise<EncryptionReadings> {
  const encryption = await storage.readEncryption(bucketName, options);
  const value = knownValue(encryption);
  if (!isKmsEncryption(value)) return { encryption };
  const key: Reading<KmsKey> = await storage.readKey(value?.keyId ?? managedKey, options);
  const arn = knownValue(key)?.arn;
  if (arn === undefined) return { encryption, key };
  return { encryption, key, keyPolicy: await storage.readKeyPolicy(arn, options) };
}

/** The key of a bucket with SSE-KMS that names none. */
const managedKey = 'alias/aws/s3';
