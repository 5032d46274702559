import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
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
/** A file that is being written. It is renamed when it is complete, so that a kill leaves no part of a file. */
const incomplete = '.incomplete';

/**
 * Opens a directory for buckets and creates it if it does not exist. Each bucket is a folder and each
 * object a file, so that people can look at exports. Buckets, policies and objects outlive the process.
 */
export function openDisk(dataDir: string): BucketStore {
  mkdirSync(join(dataDir, bucketProperties), { recursive: true });
  const written = join(dataDir, incomplete);
  const writeJson = (file: string, content: object) => {
    writeFileSync(written, JSON.stringify(content));
    renameSync(written, file);
  };
  const foldersOf = (bucketName: string) => ({
    folder: join(dataDir, bucketName),
    aside: join(dataDir, objectProperties, bucketName),
  });

  return {
    load: () =>
      readdirSync(join(dataDir, bucketProperties)).flatMap((file) => {
        const about = readJson(join(dataDir, bucketProperties, file));
        if (!about) return [];
        const objects = loadObjects(foldersOf(about.name));
        return { configurations: {}, ...about, policy: readPolicy(about.policy ?? ''), objects };
      }),

    saveBucket({ objects: _, ...bucket }) {
      mkdirSync(join(dataDir, bucket.name), { recursive: true });
      const about = { ...bucket, policy: bucket.policy?.document };
      writeJson(join(dataDir, bucketProperties, `${about.name}.json`), about);
    },

    saveObject(bucket, key, { body, lastModified, ...properties }) {
      const { folder, aside } = foldersOf(bucket.name);
      const spare = join(aside, digestOf(key));
      writeFileSync(written, body());
      const modifiedAt = Math.floor(lastModified / 1000);
      utimesSync(written, modifiedAt, modifiedAt);
      const { size, mtimeMs } = statSync(written);
      mkdirSync(aside, { recursive: true });
      const own = join(folder, writeFileName(key));
      const file = tryToMove(written, own) ? own : spare;
      if (file === own) rmSync(spare, { force: true });
      else renameSync(written, spare);
      writeJson(`${spare}.json`, { key, size, mtimeMs, ...properties });
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
function tryToMove(from: string, file: string): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true });
    renameSync(from, file);
    return true;
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    return false;
  }
}

/** The name of what is kept aside for a key. A digest, because a key can be longer than a file name. */
const digestOf = (key: string) => createHash('sha256').update(key).digest('hex');

/** What an object has beside its bytes, and the size and time of the file that it belongs to. */
interface SavedProperties extends Partial<ObjectContent> {
  key: string;
  size: number;
  mtimeMs: number;
}

function loadObjects({ folder, aside }: Record<'folder' | 'aside', string>) {
  const objects = new Map<string, StoredObject>();
  const add = (key: string, file: string, saved: SavedProperties | undefined) => {
    const { size, mtimeMs } = statSync(file);
    const isSame = saved?.size === size && saved.mtimeMs === mtimeMs;
    // A file that somebody has added or changed has no properties, and those of an earlier file are not its own.
    const properties = isSame ? saved : {};
    objects.set(
      key,
      makeObject({ ...properties, body: () => readFileSync(file), lastModified: mtimeMs }),
    );
  };
  for (const file of filesIn(folder)) {
    const key = readFileName(relative(folder, file));
    add(key, file, readJson(join(aside, `${digestOf(key)}.json`)));
  }
  for (const file of filesIn(aside).filter((each) => !each.endsWith('.json'))) {
    const saved = readJson(`${file}.json`);
    if (saved) add(saved.key, file, saved);
  }
  return objects;
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Reads properties. Returns undefined if there are none, or if an earlier version was killed while it wrote them. */
function readJson(file: string) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || isUnstorable(error)) return undefined;
    throw error;
  }
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
