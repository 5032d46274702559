import { createHash } from 'node:crypto';
import type { Policy } from '../iam/policy.ts';
import { type ChecksumAlgorithm, computeChecksum, defaultChecksum } from './checksums.ts';
import { type Configurations, type Encryption, readEncryption } from './configurations.ts';

/** The content of an object. `body` may make the bytes when they are needed. */
export interface ObjectContent {
  body(): Buffer;
  lastModified: number;
  /** Default: CRC64NVME. */
  checksumAlgorithm?: ChecksumAlgorithm;
  /** Headers that are stored with the object, such as its content type. Default: none. */
  storedHeaders?: Record<string, string>;
  /** Default: that of the bucket. */
  encryption?: Encryption;
}

/**
 * A stored object. The entity tag is the MD5 of the bytes, in quotes. With a key of KMS it is something
 * else (documentation).
 */
export interface StoredObject extends Required<ObjectContent> {
  summary(): { size: number; entityTag: string };
  checksum(): string;
}

/** A bucket with its policy, and its objects by key. */
export interface Bucket {
  name: string;
  region: string;
  accountId: string;
  createdAt: number;
  policy: Policy | undefined;
  configurations: Configurations;
  objects: Map<string, StoredObject>;
}

/** All buckets. Names are unique over all accounts and Regions. */
export interface Buckets {
  all(): Bucket[];
  find(name: string): Bucket | undefined;
  /** Adds a bucket, or changes one and keeps its objects. @throws an error for an invalid name */
  add(bucket: Omit<Bucket, 'objects'>): Bucket;
  setPolicy(bucket: Bucket, policy: Policy | undefined): void;
  configure(bucket: Bucket, configurations: Configurations): void;
  putObject(bucket: Bucket, key: string, content: ObjectContent): StoredObject;
  removeObject(bucket: Bucket, key: string): void;
  /** Removes an empty bucket. */
  remove(bucket: Bucket): void;
}

/** Storage for buckets that outlive the process. */
export interface BucketStore {
  load(): Bucket[];
  saveBucket(bucket: Bucket): void;
  /** Writes an object and returns a function that reads its bytes. */
  saveObject(bucket: Bucket, key: string, content: ObjectContent): () => Buffer;
  removeObject(bucket: Bucket, key: string): void;
  removeBucket(bucket: Bucket): void;
}

/** Makes the buckets: with those of the disk, or empty and in memory. */
export function makeBuckets(disk: BucketStore | undefined): Buckets {
  const buckets = new Map((disk?.load() ?? []).map((bucket) => [bucket.name, bucket]));

  return {
    all: () => [...buckets.values()].sort((left, right) => (left.name < right.name ? -1 : 1)),
    find: (name) => buckets.get(name),
    add(bucket) {
      if (!isBucketName(bucket.name)) throw new Error(`The bucket name ${bucket.name} is invalid.`);
      const added = { ...bucket, objects: buckets.get(bucket.name)?.objects ?? new Map() };
      buckets.set(bucket.name, added);
      disk?.saveBucket(added);
      return added;
    },
    setPolicy(bucket, policy) {
      bucket.policy = policy;
      disk?.saveBucket(bucket);
    },
    configure(bucket, configurations) {
      bucket.configurations = configurations;
      disk?.saveBucket(bucket);
    },
    putObject(bucket, key, content) {
      const complete = { encryption: readEncryption(bucket.configurations), ...content };
      const onDisk = disk?.saveObject(bucket, key, complete);
      const object = makeObject({ ...complete, body: onDisk ?? once(content.body) });
      bucket.objects.set(key, object);
      return object;
    },
    removeObject(bucket, key) {
      if (bucket.objects.delete(key)) disk?.removeObject(bucket, key);
    },
    remove(bucket) {
      buckets.delete(bucket.name);
      disk?.removeBucket(bucket);
    },
  };
}

/** Whether S3 accepts a bucket name. Accepted names are also safe as folder names. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
}

/** Whether S3 accepts the length of a key: at most 1,024 bytes of UTF-8 (documentation). */
export function isValidKeyLength(key: string): boolean {
  return Buffer.byteLength(key) <= 1024;
}

/** Makes an object. It reads its bytes once for their size and tag, and once for their checksum. */
export function makeObject({
  body,
  lastModified,
  checksumAlgorithm = defaultChecksum,
  storedHeaders = {},
  encryption = { algorithm: 'AES256' },
}: ObjectContent): StoredObject {
  const summary = once(() => {
    const bytes = body();
    const salt = encryption.algorithm === 'AES256' ? '' : encryption.algorithm;
    const digest = createHash('md5').update(salt).update(bytes).digest('hex');
    return { size: bytes.length, entityTag: `"${digest}"` };
  });
  const checksum = once(() => computeChecksum(checksumAlgorithm, body()));
  return {
    body,
    // S3 shows whole seconds, in listings too.
    lastModified: lastModified - (lastModified % 1000),
    checksumAlgorithm,
    storedHeaders,
    encryption,
    summary,
    checksum,
  };
}

function once<T>(make: () => T): () => T {
  let kept: T | undefined;
  return () => {
    kept ??= make();
    return kept;
  };
}
