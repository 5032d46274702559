import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { Environment } from '#config/variables.ts';
import { terms } from '#problems/catalogue/terms.ts';
import { catalogue } from '#problems/catalogue.ts';
import { allLevels, readLogMessages } from './log-messages.ts';
import { textsOf } from './page-texts.ts';
import { hasVerblessSentence, obstaclesIn, sentencesOf } from './plain-english.ts';
import { readProblemTexts } from './problem-texts.ts';
import { readTestNames, testNamesOf } from './test-names.ts';

/** The first word of a remedy: what the reader does. Add verbs. */
const imperatives = new Set(
  'Add Ask Attach Check Choose Close Connect Correct Create Do Find Look Omit Read Report Send Use Wait'.split(
    ' ',
  ),
);

describe('the check', () => {
  test.each([
    'As many event streams are open as may be.',
    'Why they are not is told in the error code.',
    'Of when this is.',
    'What the window is cut at, nothing by default.',
    'Who is not known takes no place.',
    'Without policies it is nobody anything.',
    'Each caller may have so many slices.',
    'Under way is what is being done.',
    'The names are told to whoever asks.',
    'Accepted slices wait their turn in the line.',
    'Several callers that read the same share one call.',
    'RetryExportJob: the same.',
    'job-cancel-requested: no more members.',
    'They are only in slices, in the failures of a job and in its events.',
    'Default, also if empty: exportedlogs.',
    'The bucket policy must permit CloudWatch Logs s3:PutObject.',
    'One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty more.',
  ])('finds the obstacle in: %s', (text) => {
    expect(obstaclesIn(text)).not.toEqual([]);
  });

  test.each([
    'When this was observed.',
    'How to split the time range. Default: no split.',
    'Present when `state` is `ours` and you may see the job.',
    'An invalid file is ignored: the previous version stays active and an error is logged until it is fixed.',
    'Is the process alive?',
  ])('finds none in: %s', (text) => {
    expect(obstaclesIn(text)).toEqual([]);
  });

  test('finds a sentence without a verb', () => {
    expect(hasVerblessSentence('It failed. Nobody anything, and so on.')).toBe(true);
    expect(hasVerblessSentence('It failed. AWS gave no reason.')).toBe(false);
  });

  test('splits a text at full stops, colons, line breaks and parentheses, not inside code', () => {
    expect(sentencesOf('One `a. b` (two). Three: four\nfive.')).toEqual([
      'One CODE.',
      'Three',
      'four',
      'five.',
      'two',
    ]);
  });
});

describe.each(Object.entries(catalogue))(
  'the problem %s',
  (_slug, { title, explanation, remedy }) => {
    test('is explained in plain English', () => {
      expect([title, explanation, remedy].flatMap(obstaclesIn)).toEqual([]);
    });

    test('has a verb in each sentence of its explanation', () => {
      expect(explanation).not.toSatisfy(hasVerblessSentence);
    });

    test('has a noun phrase as its title', () => {
      expect(title).not.toMatch(
        /[.?!]|\b(?:is|are|was|were|has|have|does|do|may|can|cannot|must|will)\b/,
      );
    });

    test('has a remedy that begins with a verb', () => {
      expect(imperatives).toContain(remedy.split(/\W/)[0]);
    });
  },
);

test('the details of problems are in plain English', () => {
  const texts = readProblemTexts('src');

  expect(texts.length).toBeGreaterThan(150);
  expect(texts.flatMap(({ text }) => obstaclesIn(text))).toEqual([]);
});

test('the terms are explained in plain English', () => {
  expect(terms.flatMap(([, meaning]) => obstaclesIn(meaning))).toEqual([]);
});

test('the settings are described in plain English', () => {
  const texts = Object.values(Environment.properties).map(({ description }) => description ?? '');

  expect(texts.flatMap(obstaclesIn)).toEqual([]);
});

test('the OpenAPI document is in plain English', () => {
  const document = JSON.parse(readFileSync('openapi/openapi.json', 'utf8'));
  const texts = new Set<string>();
  collectTexts(document, texts);

  expect(texts.size).toBeGreaterThan(200);
  expect([...texts].flatMap(obstaclesIn)).toEqual([]);
});

test.each(globSync(['*.md', 'docs/**/*.md', 'emulator/*.md']))('%s is in plain English', (file) => {
  const page = readFileSync(file, 'utf8');
  // The last column of the table of defences has names of tests.
  const texts = textsOf(file.includes('0013-') ? page.replaceAll(/\| `[^|]*\|$/gm, '|') : page);

  expect(texts.length).toBeGreaterThan(2);
  expect(texts.flatMap(obstaclesIn)).toEqual([]);
});

test('the log messages are in plain English', () => {
  const messages = readLogMessages('src', allLevels);

  expect(messages.length).toBeGreaterThan(40);
  expect(messages.flatMap(({ text }) => obstaclesIn(text))).toEqual([]);
  expect(messages.filter(({ text }) => text.endsWith('.'))).toEqual([]);
});

test('the names of tests are found in calls of test, describe and their members', () => {
  const source = `describe.each(x)('a group', () => { test(\`one \${x}\`, () => {}); });
    test.skipIf(y)('another', () => {}); check('no test');`;

  expect(testNamesOf('x.ts', source).map(({ text }) => text)).toEqual([
    'a group',
    'one …',
    'another',
  ]);
});

describe.each(['test', 'emulator/test'])('the names of the tests in %s', (folder) => {
  test('are in plain English', () => {
    const names = readTestNames(folder).filter(
      ({ file }) => file !== 'house/plain-english.test.ts',
    );

    expect(names.length).toBeGreaterThan(20);
    expect(
      names.flatMap(({ file, text }) => obstaclesIn(text).map((each) => `${file}: ${each}`)),
    ).toEqual([]);
  });
});

/** Adds the summaries, descriptions and details of a document; a value with one of these names is an object. */
function collectTexts(value: unknown, texts: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const isText = ['summary', 'description', 'title', 'detail'].includes(name);
    if (isText && typeof member === 'string') texts.add(member);
    else collectTexts(member, texts);
  }
}
