import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

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

/** The fixed parts of the texts below a node. */
function textsBelow(node: Node): string[] {
  const texts: string[] = [];
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === 'string') texts.push(value);
    },
    TemplateElement: ({ value }) => {
      texts.push(value.cooked ?? value.raw);
    },
  }).visit({ type: 'Program', body: [node] } as never);
  return texts;
}

/** The texts of a file that become part of a problem: details, remedies, explanations. */
function problemTextsOf(file: string, source: string): string[] {
  const { program } = parseSync(file, source);
  const nodes: (Node | null | undefined)[] = [];
  new Visitor({
    NewExpression: ({ callee, arguments: parts }) => {
      if (callee.type === 'Identifier' && callee.name === 'Problem') nodes.push(parts[1]);
    },
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'Identifier' && /^details?$/.test(id.name)) nodes.push(init);
    },
    Property: ({ key, value }) => {
      const name = key.type === 'Identifier' ? key.name : '';
      if (['detail', 'remedy', 'explanation', 'title'].includes(name)) nodes.push(value);
    },
  }).visit(program);
  return nodes.flatMap((node) => (node ? textsBelow(node) : []));
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
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'problems/catalogue/examples.ts')
      .sort();
    const texts = files.flatMap((file) => {
      const found = problemTextsOf(file, readFileSync(join('src', file), 'utf8'));
      return found.map((text) => ({ file, text }));
    });

    expect(texts.length).toBeGreaterThan(150);
    expect(texts.filter(({ text }) => typedNumbersIn(text).length > 0)).toEqual([]);
  });
});
