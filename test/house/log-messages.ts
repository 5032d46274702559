import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';

/** A text that the service logs. */
export interface LogMessage {
  file: string;
  /** The text; for a template, its longest fixed part. */
  text: string;
}

/** The levels that operators must understand. */
export const loudLevels = ['warn', 'error', 'fatal'];
/** Every level whose messages are written by default. */
export const allLevels = [...loudLevels, 'info'];

/** The levels of the lines about an outage. */
const outageLevels: Record<string, string> = { failed: 'warn', worked: 'info' };

/** Finds the texts that are logged at these levels in the TypeScript files of a folder. */
export function readLogMessages(folder: string, levels: readonly string[]): LogMessage[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((file) => readMessages(file, readFileSync(join(folder, file), 'utf8'), levels));
}

/** Those of one file, without texts that are created elsewhere, such as the message of an error. */
export function readMessages(
  file: string,
  source: string,
  levels: readonly string[],
): LogMessage[] {
  const { program } = parseSync(file, source);
  const constants = new Map<string, Node>();
  const found: LogMessage[] = [];
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'Identifier' && init) constants.set(id.name, init);
    },
  }).visit(program);
  new Visitor({
    CallExpression: ({ callee, arguments: parts }) => {
      if (callee.type !== 'MemberExpression') return;
      const object = source.slice(callee.object.start, callee.object.end);
      const { property } = callee;
      const method = property.type === 'Identifier' ? property.name : '';
      const isOfOutage = /outages?\b/i.test(object) && Object.hasOwn(outageLevels, method);
      if (!isOfOutage && !/\blog\??$/.test(object)) return;
      const level = isOfOutage ? outageLevels[method] : method;
      const isOfLevel = callee.computed || levels.includes(level ?? '');
      const written = parts[1] ?? parts[0];
      const node = written?.type === 'Identifier' ? constants.get(written.name) : written;
      if (isOfLevel && node) found.push(...textsOf(node).map((text) => ({ file, text })));
    },
  }).visit(program);
  return found;
}

function textsOf(node: Node): string[] {
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value];
  if (node.type === 'ConditionalExpression') {
    return [node.consequent, node.alternate].flatMap(textsOf);
  }
  if (node.type !== 'TemplateLiteral') return [];
  const parts = node.quasis.map(({ value }) => value.cooked?.trim() ?? '');
  return parts.toSorted((one, other) => other.length - one.length).slice(0, 1);
}
