import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

// An exported name has one meaning. A schema and its type share a name, in one file.

/** The names that a file declares and exports, without re-exports. */
function exportedNames(file: string, text: string): string[] {
  const { module } = parseSync(file, text);
  const entries = module.staticExports.flatMap(({ entries }) => entries);
  const own = entries.filter(({ moduleRequest }) => moduleRequest === null);
  return [...new Set(own.map(({ exportName }) => exportName.name ?? 'default'))];
}

/** The names that more than one file exports, with these files. */
function findSharedNames(sources: Map<string, string>): Record<string, string[]> {
  const exported = [...sources].flatMap(([file, text]) =>
    exportedNames(file, text).map((name) => ({ name, file })),
  );
  const files = Map.groupBy(exported, ({ name }) => name);
  return Object.fromEntries(
    [...files]
      .filter(([, found]) => found.length > 1)
      .map(([name, found]) => [name, found.map(({ file }) => file)]),
  );
}

function readSources(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
}

describe('an exported name', () => {
  test.each(['src', 'emulator/src'])('is declared in one file of %s', (folder) => {
    expect(findSharedNames(readSources(folder))).toEqual({});
  });
});

describe('the search for shared names', () => {
  const find = (...texts: string[]) =>
    findSharedNames(new Map(texts.map((text, index) => [`${index}.ts`, text])));

  test.each([
    ['export const Slot = 1;', 'export interface Slot {}'],
    ['export function Slot() {}', 'export type Slot = 1;'],
    ['class Slot {} export { Slot };', 'export const { Slot } = { Slot: 1 };'],
    ['const task = 1; export { task as Slot };', 'export async function* Slot() {}'],
  ])('finds Slot in "%s" and "%s"', (one, other) => {
    expect(find(one, other)).toEqual({ Slot: ['0.ts', '1.ts'] });
  });

  test.each([
    ['export const Slot = 1; export type Slot = 1;', 'const Slot = 2;'],
    ['export const Slot = 1;', "export { Slot } from './0.ts';"],
    ['export const Slot = 1;', "export * from './0.ts';"],
    ['export const Slot = 1;', 'const Slot = 2; export { Slot as Task };'],
  ])('finds nothing in "%s" and "%s"', (one, other) => {
    expect(find(one, other)).toEqual({});
  });
});
