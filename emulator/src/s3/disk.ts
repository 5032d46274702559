import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { readPolicy } from '../iam/policy.ts';
import { type BucketStore, makeObject, type ObjectContent, type StoredObject } from './buckets.ts';

/** Folder of the buckets' properties. No bucket can have this name. */
const bucketProperties = '.buckets';
/** Folder of what the files of objects do not have. No bucket can have this name, either. */
const objectProperties = '.objects';

/**
 * Opens a directory for buckets and creates it if it does not exist. Each bucket is a folder and each
 * object a file, so that people can look at exports. Buckets, policies and objects outlive the process.
 */
export function openDisk(dataDir: string): BucketStore {
  mkdirSync(join(dataDir, bucketProperties), { recursive: true });
  const foldersOf = (bucketName: string) => ({
    folder: join(dataDir, bucketName),
    aside: join(dataDir, objectProperties, bucketName),
  });

  return {
    load: () =>
      readdirSync(join(dataDir, bucketProperties)).map((file) => {
        const about = readJson(join(dataDir, bucketProperties, file));
        const objects = loadObjects(foldersOf(about.name));
        return { configurations: {}, ...about, policy: readPolicy(about.policy ?? ''), objects };
      }),

    saveBucket({ objects: _, ...bucket }) {
      mkdirSync(join(dataDir, bucket.name), { recursive: true });
      const about = { ...bucket, policy: bucket.policy?.document };
      writeFileSync(join(dataDir, bucketProperties, `${about.name}.json`), JSON.stringify(about));
    },

    saveObject(bucket, key, { body, lastModified, ...properties }) {
      const { folder, aside } = foldersOf(bucket.name);
      const spare = join(aside, digestOf(key));
      const bytes = body();
      mkdirSync(aside, { recursive: true });
      const own = join(folder, writeFileName(key));
      const file = tryToWrite(own, bytes) ? own : spare;
      if (file === own) rmSync(spare, { force: true });
      else writeFileSync(spare, bytes);
      const modifiedAt = Math.floor(lastModified / 1000);
      utimesSync(file, modifiedAt, modifiedAt);
      writeFileSync(`${spare}.json`, JSON.stringify({ key, ...properties }));
      return () => readFileSync(file);
    },

    removeObject(bucket, key) {
      const { folder, aside } = foldersOf(bucket.name);
      for (const ending of ['', '.json'])
        rmSync(join(aside, digestOf(key) + ending), { force: true });
      const file = join(folder, writeFileName(key));
      try {
        unlinkSync(file);
        removeEmptyFolders(dirname(file), folder);
      } catch (error) {
        // The object has no file of its own. A folder of its name belongs to other keys.
        if (!isUnstorable(error)) throw error;
      }
    },

    removeBucket(bucket) {
      const { folder, aside } = foldersOf(bucket.name);
      rmSync(join(dataDir, bucketProperties, `${bucket.name}.json`));
      rmSync(folder, { recursive: true });
      rmSync(aside, { recursive: true, force: true });
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

const isUnstorable = (error: unknown) =>
  unstorable.has((error as NodeJS.ErrnoException).code ?? '');

/** S3 can hold both `a` and `a/b`, and names longer than file names. A disk cannot: then it returns false. */
function tryToWrite(file: string, bytes: Buffer): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    return true;
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    return false;
  }
}

/** The name of what is kept aside for a key. A digest, because a key can be longer than a file name. */
const digestOf = (key: string) => createHash('sha256').update(key).digest('hex');

function loadObjects({ folder, aside }: Record<'folder' | 'aside', string>) {
  const objects = new Map<string, StoredObject>();
  const add = (key: string, file: string, properties: Partial<ObjectContent>) => {
    const content = { body: () => readFileSync(file), lastModified: statSync(file).mtimeMs };
    objects.set(key, makeObject({ ...properties, ...content }));
  };
  for (const file of filesIn(folder)) {
    const key = readFileName(relative(folder, file));
    const properties = join(aside, `${digestOf(key)}.json`);
    // A file that somebody has added has none.
    add(key, file, existsSync(properties) ? readJson(properties) : {});
  }
  for (const file of filesIn(aside).filter((each) => !each.endsWith('.json'))) {
    const { key, ...properties } = readJson(`${file}.json`);
    add(key, file, properties);
  }
  return objects;
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

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
