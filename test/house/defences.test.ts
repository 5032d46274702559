import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

// The table of docs/decisions/0013-defences-and-their-tests.md names files and tests that exist.

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`);
const sources = filesBelow('src');
const tests = filesBelow('test').filter((file) => file.endsWith('.test.ts'));

const rows = readFileSync('docs/decisions/0013-defences-and-their-tests.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!defence|---)/.test(line))
  .map((line) => {
    const [, , where = '', named = ''] = line.split('|');
    const [, file = '', name = ''] = /^ `([^`]+)`(?:: (.*))? $/.exec(named) ?? [];
    const files = [...where.matchAll(/`([^`]+)`/g)].map(([, found = '']) => found);
    return { files, test: { file, name } };
  });

/** The test files of a short name: directly below test/, or those whose path ends with it. */
function testFilesOf(file: string): string[] {
  const exact = `test/${file}.test.ts`;
  if (tests.includes(exact)) return [exact];
  return tests.filter((path) => path.endsWith(`/${file}.test.ts`));
}

describe('each defence', () => {
  test('is in one file that exists', () => {
    const found = (file: string) => sources.filter((path) => path.endsWith(`/${file}`)).length;

    expect(rows.length).toBeGreaterThan(90);
    expect(rows.flatMap(({ files }) => files).filter((file) => found(file) !== 1)).toEqual([]);
  });

  test('has one test file that exists, and a test of that name in it', () => {
    const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ');
    const broken = rows.filter(({ test: { file, name } }) => {
      const [path, ...others] = testFilesOf(file);
      if (path === undefined || others.length > 0) return true;
      return !oneLine(readFileSync(path, 'utf8')).includes(name);
    });

    expect(broken.map(({ test: { file, name } }) => `${file}: ${name}`)).toEqual([]);
  });
});
