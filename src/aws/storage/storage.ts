import type { Readable } from 'node:stream';

import type { Problem } from '#problems/problem.ts';
import type { CallOptions, VerificationGrant } from '../call-options.ts';

/** The account and the Region of a target. */
export interface StorageOwner {
  /** Default: not known, and so is whether a bucket belongs to it. */
  accountId: string | undefined;
  region: string;
}

/** What AWS says about a setting. */
export type Reading<Value> =
  | { outcome: 'known'; value: Value }
  /** There is no such bucket or key, or the setting is not configured. */
  | { outcome: 'absent' }
  /** The role may not look. */
  | { outcome: 'denied' }
  /** AWS did not answer, or answered something else. */
  | { outcome: 'unknown'; problem: Problem };

/** A bucket, as HeadBucket shows it. */
export interface BucketFacts {
  region: string;
  /** Whether it belongs to the account of the target; `undefined` if the role may not look, and in another Region. */
  isOwn: boolean | undefined;
}

/** The default encryption of a bucket. */
export interface BucketEncryption {
  /** AES256, aws:kms or aws:kms:dsse. */
  algorithm: string;
  /** The id, alias or ARN of the key, if the bucket names one. */
  keyId?: string;
}

/** The default retention of a bucket with Object Lock. Without a mode, there is no default retention. */
export interface ObjectLock {
  /** GOVERNANCE or COMPLIANCE. */
  mode?: string;
  days?: number;
}

/** A rule of the lifecycle of a bucket. */
export interface LifecycleRule {
  id?: string;
  isEnabled: boolean;
  /** The prefix of the objects it applies to; empty for all. */
  prefix: string;
  expirationDays?: number;
  /** Epoch ms. */
  expirationDate?: number;
  /** Whether it applies only to objects with certain tags or sizes. */
  hasOtherFilters: boolean;
}

/** A key of KMS, as DescribeKey shows it. */
export interface KmsKey {
  arn: string;
  isEnabled: boolean;
  /** Enabled, Disabled, PendingDeletion, PendingImport, … */
  state: string;
  isAwsManaged: boolean;
}

/** An object in a bucket. The key is exact. */
export interface ObjectPlace {
  bucket: string;
  key: string;
}

/** An object, as ListObjectsV2 shows it. */
export interface StoredObject {
  key: string;
  /** Bytes. */
  size: number;
  /** Without its quotation marks. */
  etag: string;
  /** Epoch ms. */
  lastModified: number;
  /** Such as CRC64NVME. */
  checksumAlgorithm?: string;
}

/** A page of objects. */
interface ObjectPage {
  objects: StoredObject[];
  /** Whether no objects follow. Otherwise, the next page is `after` the last key. */
  isComplete: boolean;
}

/** The checksum of an object, as S3 has stored it. */
export interface ObjectChecksum {
  /** CRC64NVME, CRC32, CRC32C, SHA256, SHA1, … */
  algorithm: string;
  /** Base64. */
  value: string;
  /** FULL_OBJECT, or COMPOSITE if it is made of the checksums of parts. */
  type?: string;
}

/** An object to be written. */
interface NewObject extends ObjectPlace {
  body: Buffer;
  contentType: string;
  contentEncoding?: string;
}

/**
 * S3 and KMS as the role of a target sees them. Reads of settings change nothing and never throw. Calls
 * about objects throw Problems.
 */
export interface Storage {
  /** Reads the Region and the owner of a bucket. */
  readBucket(bucket: string, options?: CallOptions): Promise<Reading<BucketFacts>>;
  /** Reads the bucket policy, as JSON text. */
  readBucketPolicy(bucket: string, options?: CallOptions): Promise<Reading<string>>;
  /** Reads the default encryption. */
  readEncryption(bucket: string, options?: CallOptions): Promise<Reading<BucketEncryption>>;
  /** Reads Object Ownership: BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter. */
  readObjectOwnership(bucket: string, options?: CallOptions): Promise<Reading<string>>;
  /** Reads Object Lock. */
  readObjectLock(bucket: string, options?: CallOptions): Promise<Reading<ObjectLock>>;
  /** Reads the lifecycle rules. */
  readLifecycle(bucket: string, options?: CallOptions): Promise<Reading<LifecycleRule[]>>;
  /** Reads a key by its id, alias or ARN. */
  readKey(keyId: string, options?: CallOptions): Promise<Reading<KmsKey>>;
  /** Reads the policy of a key, as JSON text. */
  readKeyPolicy(keyArn: string, options?: CallOptions): Promise<Reading<string>>;

  /** Lists objects in the order of their UTF-8 keys, from the first key behind `after`. */
  listObjects(
    query: { bucket: string; prefix: string; after?: string; limit?: number },
    options?: CallOptions,
  ): Promise<ObjectPage>;
  /** Reads the checksum of an object; `undefined` if S3 has none. */
  readChecksum(place: ObjectPlace, options?: CallOptions): Promise<ObjectChecksum | undefined>;
  /**
   * Reads an object. The stream fails with a Problem when AWS sends nothing for some seconds. It must be
   * read to its end, or destroyed.
   */
  readObject(place: ObjectPlace, options?: CallOptions): Promise<Readable>;
  /** Writes an object unless there is one with this key. */
  writeOnce(object: NewObject, options?: CallOptions): Promise<'written' | 'exists'>;

  /** S3 for one verification. With scoped sessions, its session permits nothing else. */
  scoped(grant: VerificationGrant, caller: string): Storage;
}
