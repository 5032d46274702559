import { createHash } from 'node:crypto';
import type { Policy } from '../iam/policy.ts';

/** What an object is made of; its bytes may come into being only when somebody asks. */
export interface ObjectContent {
  body(): Buffer;
  lastModified: number;
}

/** An object as it lies in a bucket; the entity tag is the MD5 of the bytes, in quotes. */
export interface StoredObject extends ObjectContent {
  summary(): { size: number; entityTag: string };
}

/** A bucket with its policy and its objects by key. */
export interface Bucket {
  name: string;
  region: string;
  accountId: string;
  createdAt: number;
  policy: Policy | undefined;
  objects: Map<string, StoredObject>;
}

/** All buckets; their names are one space over all accounts and Regions. */
export interface Buckets {
  all(): Bucket[];
  find(name: string): Bucket | undefined;
  /** Adds a bucket, or changes one and keeps its objects. Throws on a name S3 would not take. */
  add(bucket: Omit<Bucket, 'objects'>): Bucket;
  setPolicy(bucket: Bucket, policy: Policy | undefined): void;
  putObject(bucket: Bucket, key: string, content: ObjectContent): StoredObject;
  removeObject(bucket: Bucket, key: string): void;
  /** Removes an empty bucket. */
  remove(bucket: Bucket): void;
}

/** Where buckets lie when they are to outlive the process. */
export interface BucketStore {
  load(): Bucket[];
  saveBucket(bucket: Bucket): void;
  /** Writes one object and gives the way to read it back; undefined if it cannot lie there. */
  saveObject(bucket: Bucket, key: string, body: () => Buffer): (() => Buffer) | undefined;
  removeObject(bucket: Bucket, key: string): void;
  removeBucket(bucket: Bucket): void;
}

/** Makes the buckets: those of the disk, or none and in memory only. */
export function makeBuckets(disk: BucketStore | undefined): Buckets {
  const buckets = new Map((disk?.load() ?? []).map((bucket) => [bucket.name, bucket]));

  return {
    all: () => [...buckets.values()].sort((left, right) => (left.name < right.name ? -1 : 1)),
    find: (name) => buckets.get(name),
    add(bucket) {
      if (!isBucketName(bucket.name)) throw new Error(`${bucket.name} is no name for a bucket.`);
      const added = { ...bucket, objects: buckets.get(bucket.name)?.objects ?? new Map() };
      buckets.set(bucket.name, added);
      disk?.saveBucket(added);
      return added;
    },
    setPolicy(bucket, policy) {
      bucket.policy = policy;
      disk?.saveBucket(bucket);
    },
    putObject(bucket, key, { body, lastModified }) {
      const onDisk = disk?.saveObject(bucket, key, body);
      const object = makeObject({ body: onDisk ?? keepFirst(body), lastModified });
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

/** Names S3 takes; all of them are harmless as names of folders. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
}

/** Keys have at most 1,024 bytes of UTF-8 (documentation). */
export function isKeyLength(key: string): boolean {
  return Buffer.byteLength(key) <= 1024;
}

/** Makes an object that reads its bytes once to know their size and tag. */
export function makeObject({ body, lastModified }: ObjectContent): StoredObject {
  const summary = keepFirst(() => {
    const bytes = body();
    const digest = createHash('md5').update(bytes).digest('hex');
    return { size: bytes.length, entityTag: `"${digest}"` };
  });
  return { body, lastModified, summary };
}

function keepFirst<T>(make: () => T): () => T {
  let kept: T | undefined;
  return () => {
    kept ??= make();
    return kept;
  };
}
