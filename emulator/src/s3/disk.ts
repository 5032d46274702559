import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { readPolicy } from '../iam/policy.ts';
import { type BucketStore, makeObject, type StoredObject } from './buckets.ts';

/** No bucket can have this name, so the folder is free for what is known about the buckets. */
const aboutBuckets = '.buckets';

/**
 * Opens a folder for buckets, making it if need be: a folder each, their objects as files under it,
 * so that people can look at exports. Buckets, policies and objects outlive the process.
 */
export function openDisk(dataDir: string): BucketStore {
  mkdirSync(join(dataDir, aboutBuckets), { recursive: true });

  return {
    load: () =>
      readdirSync(join(dataDir, aboutBuckets)).map((file) => {
        const about = JSON.parse(readFileSync(join(dataDir, aboutBuckets, file), 'utf8'));
        const objects = loadObjects(join(dataDir, about.name));
        return { ...about, policy: readPolicy(about.policy ?? ''), objects };
      }),

    saveBucket({ objects: _, ...bucket }) {
      mkdirSync(join(dataDir, bucket.name), { recursive: true });
      const about = { ...bucket, policy: bucket.policy?.document };
      writeFileSync(join(dataDir, aboutBuckets, `${about.name}.json`), JSON.stringify(about));
    },

    saveObject(bucket, key, body) {
      const file = join(dataDir, bucket.name, writeFileName(key));
      try {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, body());
      } catch (error) {
        // S3 may hold both `a` and `a/b`, and names longer than a file's may be; a disk may not.
        if (unstorable.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
        throw error;
      }
      return () => readFileSync(file);
    },

    removeObject(bucket, key) {
      try {
        unlinkSync(join(dataDir, bucket.name, writeFileName(key)));
      } catch (error) {
        // What a disk cannot hold was never written; a folder in its place is of other keys.
        if (!unstorable.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    },

    removeBucket(bucket) {
      rmSync(join(dataDir, aboutBuckets, `${bucket.name}.json`));
      rmSync(join(dataDir, bucket.name), { recursive: true });
    },
  };
}

const unstorable = new Set(['EEXIST', 'EISDIR', 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

function loadObjects(folder: string): Map<string, StoredObject> {
  const objects = new Map<string, StoredObject>();
  if (!existsSync(folder)) return objects;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const content = { body: () => readFileSync(file), lastModified: statSync(file).mtimeMs };
    objects.set(readFileName(relative(folder, file)), makeObject(content));
  }
  return objects;
}

/** What `writeFileName` writes; any other `%` was put there by somebody else and means itself. */
const escapes = /%(?:00|25|2E|5C)/g;

/** A key as a path that stays inside its folder: no empty, `.` or `..` segments, no NUL. */
function writeFileName(key: string): string {
  return key
    .split('/')
    .map((segment) => {
      if (segment === '') return '%';
      if (segment === '.' || segment === '..') return segment.replaceAll('.', '%2E');
      return segment.replace(/[%\0\\]/g, (character) => encodeURIComponent(character));
    })
    .join(sep);
}

function readFileName(path: string): string {
  return path
    .split(sep)
    .map((segment) => (segment === '%' ? '' : segment.replace(escapes, decodeURIComponent)))
    .join('/');
}
