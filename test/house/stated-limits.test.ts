import { describe, expect, test } from 'vitest';

import { problemTextsOf, readProblemTexts } from './problem-texts.ts';

// A number in a problem text is a limit, and a limit has one definition. A text gets it by `${…}`, so
// that it cannot be typed twice.

// Not of names, addresses and media types: S3, UTF-8, HTTP/1.1, 127.0.0.1, 100-continue.
const number = /(?<![\w./:-])\d[\d,_]*(?![\w-]|\.\d)/g;
const inWords =
  /\b(?:three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|sixty|hundred|thousand|million)\b/gi;

// Documents, the epoch, and times of day.
const notLimits = /\bRFC \d+|\bsince 1970|\bhour 24|\d\d:\d\d:\d\d/g;

/** The numbers of three or more that a text has typed. */
function typedNumbersIn(text: string): string[] {
  const withoutNames = text.replaceAll(notLimits, '');
  const digits = [...withoutNames.matchAll(number)].map(([found]) => found);
  const large = digits.filter((found) => Number(found.replaceAll(/[,_]/g, '')) >= 3);
  return [...large, ...[...withoutNames.matchAll(inWords)].map(([found]) => found)];
}

describe('the limits in problem texts', () => {
  test('are found when they are typed', () => {
    const source = `new Problem('x', 'more than 8,192 bytes'); const detail = \`a \${b} of 16 levels\`;
      const kind = { remedy: 'Wait for two minutes.', explanation: 'At most a thousand. RFC 8259, UTF-8, 127.0.0.1, s3:Get, HTTP/1.1' };`;

    expect(problemTextsOf('x.ts', source).flatMap(typedNumbersIn)).toEqual([
      '8,192',
      '16',
      'thousand',
    ]);
  });

  test('come from the constants that are enforced', () => {
    const texts = readProblemTexts('src').filter(
      ({ file }) => file !== 'problems/catalogue/examples.ts',
    );

    expect(texts.length).toBeGreaterThan(150);
    expect(texts.filter(({ text }) => typedNumbersIn(text).length > 0)).toEqual([]);
  });
});
