import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';

import type { Storage } from '#aws/storage/storage.ts';
import { Problem } from '#problems/problem.ts';
import { Manifest, ManifestObject } from '../verification/manifest/manifest.ts';

/** Receives each difference, in one line. */
export type Report = (difference: string) => void;

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const isManifest = ajv.compile<Manifest>(Manifest);
const isObject = ajv.compile<ManifestObject>(ManifestObject);

/**
 * Parses a manifest. Reports what the schema does not allow, and then returns `undefined`.
 * @throws an error if the text is no manifest, or one in a newer format
 */
export function parseManifest(text: string, report: Report): Manifest | undefined {
  const parsed = parseJson(text);
  const version = (parsed as Partial<Manifest> | null)?.formatVersion;
  if (version !== 1) throw new Error('This is no manifest of format version 1.');
  if (isManifest(parsed)) return parsed;
  for (const { instancePath, message } of isManifest.errors ?? []) {
    report(`schema: ${instancePath || 'the manifest'} ${message}`);
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('This is no manifest: it is not JSON.', { cause });
  }
}

/**
 * Reads the objects of a manifest by their keys: its own, or those of its list. Returns `undefined` if that
 * list is missing or broken, and reports it.
 */
export async function readListedObjects(
  manifest: Manifest,
  storage: Storage,
  report: Report,
): Promise<Map<string, ManifestObject> | undefined> {
  const listed = new Map<string, ManifestObject>();
  const add = (object: ManifestObject) => {
    if (listed.has(object.key)) report(`listed twice: ${object.key}`);
    listed.set(object.key, object);
  };
  const { filesKey } = manifest;
  if (filesKey === undefined) {
    manifest.objects?.forEach(add);
    return listed;
  }
  try {
    for await (const object of readList(manifest, storage, report)) add(object);
    return listed;
  } catch (error) {
    if (isGzipError(error)) report(`content of ${filesKey}: no whole gzip file`);
    else if (isMissing(error)) report(`missing: ${filesKey}`);
    else throw error;
    return undefined;
  }
}

/** Reads the list beside a manifest, and compares its digest. */
async function* readList(
  { bucket, filesKey = '', filesSha256 }: Manifest,
  storage: Storage,
  report: Report,
): AsyncGenerator<ManifestObject> {
  const stored = await storage.readObject({ bucket, key: filesKey });
  const hash = createHash('sha256');
  stored.on('data', (chunk: Buffer) => hash.update(chunk));
  let line = 0;
  for await (const json of linesOf(stored)) {
    line += 1;
    const object = parseJson(json);
    if (isObject(object)) yield object;
    else report(`schema: line ${line} of ${filesKey} is no object of a manifest`);
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== filesSha256) {
    report(`SHA-256 of ${filesKey}: ${sha256}, manifest ${filesSha256}`);
  }
}

/** Reads the lines of a compressed text. It throws what its source throws. */
async function* linesOf(source: Readable): AsyncGenerator<string> {
  const text = createGunzip().setEncoding('utf8');
  source.once('error', (error) => text.destroy(error)).pipe(text);
  let rest = '';
  for await (const chunk of text) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

const isMissing = (error: unknown) =>
  error instanceof Problem && error.members.awsErrorCode === 'NoSuchKey';

const isGzipError = (error: unknown) => /^Z_/.test((error as NodeJS.ErrnoException).code ?? '');
