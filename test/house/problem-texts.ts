import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';

/** A text that becomes part of a problem. */
export interface ProblemText {
  file: string;
  text: string;
}

/** Finds the details, remedies, explanations and titles of problems in the TypeScript files of a folder. */
export function readProblemTexts(folder: string): ProblemText[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .flatMap((file) => {
      const texts = problemTextsOf(file, readFileSync(join(folder, file), 'utf8'));
      return texts.map((text) => ({ file, text }));
    });
}

/** Those of one file. */
export function problemTextsOf(file: string, source: string): string[] {
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

/** The texts below a node, with an ellipsis for what is filled in. */
function textsBelow(node: Node): string[] {
  const texts: string[] = [];
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === 'string') texts.push(value);
    },
    TemplateLiteral: ({ quasis }) => {
      texts.push(quasis.map(({ value }) => value.cooked ?? value.raw).join(' … '));
    },
  }).visit({ type: 'Program', body: [node] } as never);
  return texts;
}
