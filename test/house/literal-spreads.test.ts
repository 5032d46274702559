import { globSync, readFileSync } from 'node:fs';
import { type Node, parseSync, Visitor } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

// Members are written out. A spread literal only hides them, to keep lines short.

const files = globSync(['{src,test,bench}/**/*.ts', 'emulator/{src,test}/**/*.ts']);

/** The literals that a source spreads into a literal of the same kind. */
function findLiteralSpreads(source: string): string[] {
  const found: string[] = [];
  const add = (type: Node['type'], parts: readonly (Node | null)[]) => {
    for (const part of parts) {
      if (part?.type !== 'SpreadElement' || withoutTypes(part.argument).type !== type) continue;
      found.push(source.slice(part.start, part.end));
    }
  };
  new Visitor({
    ObjectExpression: ({ type, properties }) => add(type, properties),
    ArrayExpression: ({ type, elements }) => add(type, elements),
  }).visit(parseSync('source.ts', source).program);
  return found;
}

/** The expression inside of parentheses, `as` and `satisfies`. */
function withoutTypes(node: Node): Node {
  const isWrapper =
    node.type === 'ParenthesizedExpression' ||
    node.type === 'TSAsExpression' ||
    node.type === 'TSSatisfiesExpression';
  return isWrapper ? withoutTypes(node.expression) : node;
}

describe('spread literals', () => {
  test.each(['{ ...{ a, b }, c }', '{ ...({ a } as const) }', '[...[1, 2], 3]'])(
    'are found in %s',
    (literal) => {
      expect(findLiteralSpreads(`export const value = ${literal};`)).toHaveLength(1);
    },
  );

  test.each([
    '{ ...options, a }',
    '{ ...(a && { b }) }',
    '{ ...(a ? { b } : { c }) }',
    '[...a, 1]',
  ])('are not found in %s', (literal) => {
    expect(findLiteralSpreads(`export const value = ${literal};`)).toEqual([]);
  });

  test('occur in no file', () => {
    const found = files.flatMap((file) =>
      findLiteralSpreads(readFileSync(file, 'utf8')).map((text) => `${file}: ${text}`),
    );

    expect(files.length).toBeGreaterThan(500);
    expect(found).toEqual([]);
  });
});
