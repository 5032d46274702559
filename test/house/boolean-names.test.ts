import { API } from 'typescript/unstable/sync';
import { beforeAll, describe, expect, test } from 'vitest';

import { findFalseQuestions } from './boolean-names.ts';

const wrong = [
  'export function mayDo(): object { return {}; }',
  'export function mayDo(): void {}',
  'export const mayDo = (id: string) => ({ id });',
  'export interface Access { mayDo(id: string): { id: string } }',
  'export const access = { mayDo: 1 };',
  'export const { mayDo } = { mayDo: "yes" };',
  'export function decide(mayDo: unknown) { return mayDo; }',
  'export function decide(mayDo: any) { return mayDo; }',
  'export const mayDo = Promise.resolve(true);',
  'export const mayDo = /yes/;',
  'export const mayDo = (n: number) => () => n > 0;',
  'export function mayDo(): boolean | object { return true; }',
];
const right = [
  'export const isOpen = true;',
  'export interface Door { isOpen?: boolean; hasLock(): boolean; canOpen?: () => boolean }',
  'export const isText = (value: unknown): value is string => typeof value === "string";',
  'export async function isThere(): Promise<boolean> { return true; }',
  'export interface Row { isOpen: 0 | 1 | null }',
  'export const isOpen: { static: boolean; type: "boolean" } = { static: true, type: "boolean" };',
  'export const { isArray } = Array; export const island = { has: 2 };',
];

// Files that exist for the compiler alone.
const files = Object.fromEntries(
  [...wrong, ...right].map((text, index) => [`/samples/${index}.ts`, text]),
);
const config = { files: Object.keys(files), compilerOptions: { strict: true, target: 'esnext' } };
const samples: Record<string, string> = {
  ...files,
  '/samples/tsconfig.json': JSON.stringify(config),
};

let ofService: string[];
let ofSamples: string[];

beforeAll(() => {
  const fs = {
    readFile: (path: string) => samples[path],
    fileExists: (path: string) => path in samples || undefined,
  };
  const api = new API({ cwd: process.cwd(), fs });
  const openProjects = ['tsconfig.json', '/samples/tsconfig.json'];
  const snapshot = api.updateSnapshot({ openProjects });
  const find = (config: string, folder: string) => {
    const project = snapshot.getProject(config);
    if (!project) throw new Error(`${config} is not a project`);
    return findFalseQuestions(project, folder);
  };
  const root = `${process.cwd()}/`;
  const ownConfig = `${root}tsconfig.json`;
  ofService = ['src/', 'emulator/src/'].flatMap((folder) => find(ownConfig, `${root}${folder}`));
  ofSamples = find('/samples/tsconfig.json', '/samples/');
  api.close();
});

test('names that begin with is, has, may or can are names of booleans or of functions that return one', () => {
  expect(ofService).toEqual([]);
});

describe('the search for wrong names', () => {
  const fileOf = (text: string) => `${[...wrong, ...right].indexOf(text)}.ts`;
  const findIn = (text: string) =>
    ofSamples.filter((found) => found.startsWith(`${fileOf(text)}: `));

  test.each(wrong)('finds mayDo in %s', (text) => {
    expect(findIn(text)).toEqual([`${fileOf(text)}: mayDo`]);
  });

  test.each(right)('finds nothing in %s', (text) => {
    expect(findIn(text)).toEqual([]);
  });
});
