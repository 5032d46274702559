import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';

/** The name of a test or of a group of tests. */
export interface TestName {
  file: string;
  /** The text; in a template an ellipsis stands for what is filled in. */
  text: string;
}

/** Finds the names of the tests and groups in the TypeScript files of a folder. */
export function readTestNames(folder: string): TestName[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((file) => testNamesOf(file, readFileSync(join(folder, file), 'utf8')));
}

/** Those of one file: the first argument of `test`, `it`, `describe` and of what their members make. */
export function testNamesOf(file: string, source: string): TestName[] {
  const found: TestName[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: parts }) => {
      if (!/^(?:test|it|describe)\b/.test(source.slice(callee.start, callee.end))) return;
      const text = parts[0] && textOf(parts[0]);
      if (text !== undefined) found.push({ file, text });
    },
  }).visit(parseSync(file, source).program);
  return found;
}

function textOf(node: Node): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node.type !== 'TemplateLiteral') return undefined;
  return node.quasis.map(({ value }) => value.cooked ?? '').join('…');
}
