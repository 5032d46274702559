import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

// The links and names in the documentation exist.

const markdown = (folder: string) =>
  readdirSync(folder, { encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => normalize(join(folder, file)));
const files = ['.', 'docs', 'docs/decisions', 'emulator'].flatMap(markdown);
const pages = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const textOf = (file: string) => pages.get(file) ?? '';
const proseOf = (file: string) => textOf(file).replaceAll(/^```.*?^```$/gms, '');

/** The anchors that GitHub makes from the headings of a page. */
const anchorsOf = (file: string) =>
  [...proseOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

const links = files.flatMap((from) =>
  [...proseOf(from).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { from, target, to: path ? normalize(join(dirname(from), path)) : from, anchor };
    }),
);
const linkedFrom = (page: string) => links.filter(({ from }) => from === page).map(({ to }) => to);

describe('the pages', () => {
  test('link to files and headings that exist', () => {
    const broken = links.filter(
      ({ to, anchor }) =>
        !existsSync(to) || (anchor !== undefined && !anchorsOf(to).includes(anchor)),
    );

    expect(links.length).toBeGreaterThan(50);
    expect(broken.map(({ from, target }) => `${from}: ${target}`)).toEqual([]);
  });

  test('are found from the README in one click', () => {
    expect(markdown('docs').filter((page) => !linkedFrom('README.md').includes(page))).toEqual([]);
  });

  test('about decisions are found from their table of contents', () => {
    const decisions = markdown('docs/decisions').filter((page) => !page.endsWith('README.md'));

    expect(
      decisions.filter((page) => !linkedFrom('docs/decisions/README.md').includes(page)),
    ).toEqual([]);
  });

  test('name only files and folders that exist', () => {
    const path = /(?<![\w./-])(?:src|test|docs|deploy|bench|emulator|openapi)\/(?:[\w./-]*\w)?/g;
    const named = files.flatMap((page) =>
      [...textOf(page).matchAll(path)].map(([name]) => ({ page, name })),
    );

    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ name }) => !existsSync(name))).toEqual([]);
  });

  test('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const known = new Set(['ci', ...Object.keys(scripts)]);
    const named = files.flatMap((page) =>
      [...textOf(page).matchAll(/\bnpm (?:run ([a-z:]+)|(ci|test|start)\b)/g)].map(
        ([, script, short]) => `${page}: ${script ?? short}`,
      ),
    );

    expect(named).toEqual(
      expect.arrayContaining(['README.md: ci', 'README.md: demo', 'README.md: test']),
    );
    expect(named.filter((found) => !known.has(found.split(': ')[1] ?? ''))).toEqual([]);
  });

  test('of the README are at most 150 lines', () => {
    expect(textOf('README.md').split('\n').length).toBeLessThanOrEqual(150);
  });

  const diagrams = files.flatMap((page) =>
    [...textOf(page).matchAll(/^```mermaid\n(.*?)^```$/gms)].map(([, text = '']) => ({
      page,
      text,
    })),
  );

  test('have a diagram in the README', () => {
    expect(diagrams.map(({ page }) => page)).toContain('README.md');
  });

  test.each(diagrams)('have a well-formed diagram: $page', ({ text }) => {
    const lines = text
      .trim()
      .split('\n')
      .map((line) => line.trim());
    const [first = '', ...rest] = lines;
    const opened = rest.filter((line) => /^(subgraph|alt|loop|opt|par)\b/.test(line));
    const unquoted = text.replaceAll(/"[^"\n]*"/g, '""');
    const bracketsOf = (pair: string) =>
      [...pair].map((bracket) => unquoted.split(bracket).length - 1);

    expect(first).toMatch(/^(flowchart (LR|TD|TB)|sequenceDiagram|stateDiagram-v2)$/);
    expect(rest.filter((line) => line === 'end')).toHaveLength(opened.length);
    for (const pair of ['()', '[]', '{}']) {
      const [left, right] = bracketsOf(pair);
      expect({ pair, count: left }).toEqual({ pair, count: right });
    }
  });

  test('draw every room of src in docs/architecture.md', () => {
    const entries = readdirSync('src', { withFileTypes: true });
    const rooms = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const drawn = diagrams.find(({ page }) => page === 'docs/architecture.md')?.text ?? '';
    const isDrawn = (room: string) => new RegExp(`(?<![\\w-])${room}(?![\\w-])`).test(drawn);

    expect(rooms.length).toBeGreaterThan(10);
    expect(rooms.filter((room) => !isDrawn(room))).toEqual([]);
  });

  test.each(diagrams.filter(({ text }) => text.startsWith('flowchart')))(
    'draw arrows only between declared nodes: $page',
    ({ text }) => {
      const declared = [...text.matchAll(/^\s*(?:subgraph )?(\w+)(?=[[({])/gm)].map(([, id]) => id);
      const ends = [...text.matchAll(/^\s*(\w+) [-.=]+>(?:\|[^|]*\|)? (\w+)$/gm)].flatMap(
        ([, from, to]) => [from, to],
      );

      expect(ends.length).toBeGreaterThan(0);
      expect(ends.filter((id) => !declared.includes(id))).toEqual([]);
    },
  );
});
