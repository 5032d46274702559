import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { readPolicy } from '../iam/policy.ts';
import { type BucketStore, makeObject, type StoredObject } from './buckets.ts';

/** Folder of the buckets' properties. No bucket can have this name. */
const bucketProperties = '.buckets';

/**
 * Opens a directory for buckets and creates it if it does not exist. Each bucket is a folder and each
 * object a file, so that people can look at exports. Buckets, policies and objects outlive the process.
 */
export function openDisk(dataDir: string): BucketStore {
  mkdirSync(join(dataDir, bucketProperties), { recursive: true });

  return {
    load: () =>
      readdirSync(join(dataDir, bucketProperties)).map((file) => {
        const about = JSON.parse(readFileSync(join(dataDir, bucketProperties, file), 'utf8'));
        const objects = loadObjects(join(dataDir, about.name));
        return { configurations: {}, ...about, policy: readPolicy(about.policy ?? ''), objects };
      }),

    saveBucket({ objects: _, ...bucket }) {
      mkdirSync(join(dataDir, bucket.name), { recursive: true });
      const about = { ...bucket, policy: bucket.policy?.document };
      writeFileSync(join(dataDir, bucketProperties, `${about.name}.json`), JSON.stringify(about));
    },

    saveObject(bucket, key, body) {
      const file = join(dataDir, bucket.name, writeFileName(key));
      try {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, body());
      } catch (error) {
        // S3 can hold both `a` and `a/b`, and names longer than file names. A disk cannot.
        if (unstorable.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
        throw error;
      }
      return () => readFileSync(file);
    },

    removeObject(bucket, key) {
      const root = join(dataDir, bucket.name);
      const file = join(root, writeFileName(key));
      try {
        unlinkSync(file);
        removeEmptyFolders(dirname(file), root);
      } catch (error) {
        // The object was never written. A folder of its name belongs to other keys.
        if (!unstorable.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    },

    removeBucket(bucket) {
      rmSync(join(dataDir, bucketProperties, `${bucket.name}.json`));
      rmSync(join(dataDir, bucket.name), { recursive: true });
    },
  };
}

/** Removes a folder and those above it, except the root. An empty one would keep its name from a key. */
function removeEmptyFolders(folder: string, root: string): void {
  if (folder === root || readdirSync(folder).length > 0) return;
  rmdirSync(folder);
  removeEmptyFolders(dirname(folder), root);
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

/** The escapes of `writeFileName`. Any other `%` is part of a name from elsewhere. */
const escapes = /%(?:00|25|2E|5C)/g;

/** Turns a key into a path that stays inside its folder: no empty, `.` or `..` segments, no NUL. */
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
