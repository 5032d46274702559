import { createHash } from 'node:crypto';
import { type Disk, openDisk } from './disk.ts';

/** An object; its bytes may come into being only when somebody asks. */
export interface StoredObject {
  body(): Buffer;
  lastModified: number;
}

/** A bucket with its policy document and its objects by key. */
export interface Bucket {
  name: string;
  region: string;
  accountId: string;
  createdAt: number;
  policy: string | undefined;
  objects: Map<string, StoredObject>;
}

/** All buckets; their names are one space over all accounts and Regions. */
export interface Buckets {
  all(): Bucket[];
  find(name: string): Bucket | undefined;
  /** Adds or replaces a bucket. */
  add(bucket: Omit<Bucket, 'objects'>): Bucket;
  setPolicy(bucket: Bucket, policy: string | undefined): void;
  putObject(bucket: Bucket, key: string, object: StoredObject): void;
}

/** Opens the buckets: those lying in `dataDir`, or none and in memory only. */
export function openBuckets(dataDir: string | undefined): Buckets {
  const disk: Disk | undefined = dataDir === undefined ? undefined : openDisk(dataDir);
  const buckets = new Map((disk?.load() ?? []).map((bucket) => [bucket.name, bucket]));

  return {
    all: () => [...buckets.values()].sort((left, right) => (left.name < right.name ? -1 : 1)),
    find: (name) => buckets.get(name),
    add(bucket) {
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
      bucket.objects.set(key, { body: onDisk ?? keepFirst(body), lastModified });
    },
  };
}

/** Entity tags are the MD5 of the bytes, in quotes. */
export function entityTag(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function keepFirst(make: () => Buffer): () => Buffer {
  let kept: Buffer | undefined;
  return () => {
    kept ??= make();
    return kept;
  };
}
