import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';

/** A regular expression in the sources. */
export interface Pattern {
  file: string;
  source: string;
  flags: string;
  /** Whether it is the `pattern` of a schema. */
  isOfSchema?: boolean;
}

/** The regular expressions of a folder, from its syntax trees. */
export interface Patterns {
  /** Literals, and the `pattern` of schemas, which Ajv compiles with the flag u. */
  fixed: Pattern[];
  /** Expressions created at run time: the file and the source text. */
  made: { file: string; text: string }[];
}

/** Finds every regular expression in the TypeScript files of a folder. */
export function readPatterns(folder: string): Patterns {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const found: Patterns = { fixed: [], made: [] };
  for (const file of files.filter((name) => name.endsWith('.ts')).sort()) {
    addPatterns(found, file, readFileSync(join(folder, file), 'utf8'));
  }
  return found;
}

/** Adds those of one file. */
export function addPatterns(found: Patterns, file: string, text: string): void {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const constants = new Map<string, Node>();
  const made = (node: Node) =>
    found.made.push({ file, text: text.slice(node.start, node.end).replaceAll(/\s+/g, ' ') });

  /** Adds the `pattern` of a schema. */
  function add(node: Node): void {
    const known = node.type === 'Identifier' ? constants.get(node.name) : node;
    const source = known && textOf(known);
    if (source === undefined) made(node);
    else found.fixed.push({ file, source, flags: 'u', isOfSchema: true });
  }

  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'Identifier' && init) constants.set(id.name, init);
    },
  }).visit(program);
  new Visitor({
    Literal: (node) => {
      if (!('regex' in node)) return;
      const { pattern, flags } = node.regex;
      found.fixed.push({ file, source: pattern, flags });
    },
    NewExpression: (node) => addCall(node),
    CallExpression: (node) => addCall(node),
    Property: ({ key, value, shorthand }) => {
      const isPattern = key.type === 'Identifier' && key.name === 'pattern' && !shorthand;
      if (isPattern) add(value);
    },
  }).visit(program);

  function addCall(node: Extract<Node, { type: 'NewExpression' | 'CallExpression' }>): void {
    const { callee } = node;
    const isRegExp = callee.type === 'Identifier' && callee.name === 'RegExp';
    // These three create a regular expression from a text.
    const isMatch =
      callee.type === 'MemberExpression' &&
      callee.property.type === 'Identifier' &&
      ['match', 'matchAll', 'search'].includes(callee.property.name);
    const [first] = node.arguments;
    if (isRegExp || (isMatch && first && textOf(first) !== undefined)) made(node);
  }
}

/** The value of a text literal; for a tagged template, that of `String.raw`. */
function textOf(node: Node): string | undefined {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined;
  const isRaw = node.type === 'TaggedTemplateExpression';
  const template = isRaw ? node.quasi : node;
  if (template.type !== 'TemplateLiteral' || template.expressions.length > 0) return undefined;
  const [{ value } = { value: { raw: '', cooked: '' } }] = template.quasis;
  return (isRaw ? value.raw : value.cooked) ?? undefined;
}
