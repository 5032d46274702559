import { check } from 'recheck';
import { describe, expect, test } from 'vitest';

import { addPatterns, type Pattern, type Patterns, readPatterns } from './patterns.ts';

// A regular expression whose time grows faster than its text blocks all requests. This test finds each one
// in the sources, and proves from its automaton that its time is linear. That takes seconds for all of
// them. If one takes minutes, make it simpler.

// Expressions that are created at run time: the file, the source text, and the expressions they become.
const made: Record<string, Pattern[]> = {
  'problems/plugin.ts: new RegExp(`^${pattern}$`)': [
    // A route: its escaped texts, its parameters, and the rest of a path.
    { file: 'problems/plugin.ts', source: '^/export-jobs/[^/]+/slices$', flags: '' },
    { file: 'problems/plugin.ts', source: '^/a/[^/]+/[^/]+/[^/]+/b$', flags: '' },
    { file: 'problems/plugin.ts', source: '^/docs/static/.*$', flags: '' },
  ],
  // The patterns of parameters of AWS clients, and the one of all texts.
  "wire/protocol/json/kinds.ts: new RegExp(`^(?:${source})$`, 'u')": [
    String.raw`[\.\-_/#A-Za-z0-9]+`,
    String.raw`[\.\-_/#A-Za-z0-9]*`,
    '[^:*]*',
    String.raw`\d{12}`,
    String.raw`[\w#+=/:,.@-]*`,
    String.raw`[^\p{Cc}\p{Cs}]*`,
  ].map((source) => ({
    file: 'wire/protocol/requests.ts',
    source: `^(?:${source})$`,
    flags: 'u',
  })),
  // Every pattern in the schemas of the emulator becomes one of these; see below.
  "wire/constraints.ts: new RegExp(`^(?:${pattern})$`, 'u')": [],
};

const ofService = readPatterns('src');
const ofEmulator = readPatterns('emulator/src');
const foundMade = [...ofService.made, ...ofEmulator.made];
const patterns = [
  ...ofService.fixed,
  ...ofEmulator.fixed.map((pattern) =>
    pattern.isOfSchema ? { ...pattern, source: `^(?:${pattern.source})$` } : pattern,
  ),
  ...Object.values(made).flat(),
];

// An automaton has no assertions and no back-references, and too many states for counts and long texts.
// For such an expression, this test proves another one that matches at least as much. The condition of
// a look-ahead is written as text that follows.
const standIns: Record<string, string> = {
  '^(?!fips-)[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$': '^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$',
  '^([a-z][a-z0-9+.-]*:)(?:(\\/\\/[^/?@]*)(?=[/?]|$)|(?!\\/\\/))(.*)$':
    '^([a-z][a-z0-9+.-]*:)(?:(\\/\\/[^/?@]*)(?:[/?].*)?|.*)$',
  '^(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\\.)*[a-z0-9_][a-z0-9_-]{0,62}\\.?$':
    '^(?:[a-z0-9_][a-z0-9_-]*\\.)*[a-z0-9_][a-z0-9_-]*\\.?$',
  '-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \\1-----':
    '-----B[^-]+-----[^-]+-----E[^-]+-----',
};

const known = new Map<string, Promise<string>>(); // many rooms have the same pattern

function complexityOf({ source, flags }: Pattern): Promise<string> {
  const name = `/${source}/${flags}`;
  const complexity = known.get(name) ?? prove(standIns[source] ?? source, flags);
  known.set(name, complexity);
  return complexity;
}

async function prove(source: string, flags: string): Promise<string> {
  const found = await check(source, flags, { checker: 'automaton', timeout: 600_000 });
  return found.status === 'vulnerable' ? found.complexity.summary : found.status;
}

describe('regular expressions', () => {
  test('are found in all files', () => {
    expect(ofService.fixed.length + ofEmulator.fixed.length).toBeGreaterThan(60);
  });

  test('that are created at run time are on the list', () => {
    expect(foundMade.map(({ file, text }) => `${file}: ${text}`).sort()).toEqual(
      Object.keys(made).sort(),
    );
  });

  test.each(patterns)('match in linear time: $file /$source/$flags', async (pattern) => {
    expect(await complexityOf(pattern)).toBe('safe');
  });
});

describe('the search for regular expressions', () => {
  const read = (text: string): Patterns => {
    const found: Patterns = { fixed: [], made: [] };
    addPatterns(found, 'a.ts', text);
    return found;
  };
  const sourcesOf = (text: string) => read(text).fixed.map(({ source }) => source);

  test.each([
    ['const a = b / c / d; const e = /x+$/g.exec(f) ?? 1 / 2;', ['x+$']],
    ['const f = () => /[/]"\'`]/.test("/x/") ? /y/ : a / 2 / 3;', ['[/]"\'`]', 'y']],
    ["const p = String.raw`^\\d$`; Text({ pattern: p, 'x-rule': 'p' });", ['^\\d$']],
    ["Type.String({ pattern: '^\\\\d$' });", ['^\\d$']],
    ['// no /pattern/ here\nconst url = "https://a/b/c";', []],
  ])('finds those of %s', (text, sources) => {
    expect(sourcesOf(text)).toEqual(sources);
  });

  test.each([
    "new RegExp('^' + a)",
    "RegExp('x')",
    "text.match('x')",
    "text.search('x')",
    'Text({ pattern: a + b })',
  ])('finds that %s is created at run time', (text) => {
    expect(read(`const x = ${text};`).made).toHaveLength(1);
  });
});

describe('the proof of linear time', () => {
  test.each([
    ['\\/+$', ''],
    ['^(?:a+)+$', ''],
    ['\\s*,\\s*$', ''],
    ['^(\\w+\\s?)*$', 'u'],
    ['x*x*$', ''],
  ])('finds that /%s/%s is not linear', async (source, flags) => {
    expect(await complexityOf({ file: '', source, flags })).toMatch(/polynomial|exponential/);
  });
});
