import { awsError } from '../../../wire/aws-error.ts';
import type { LogEvent } from '../../log-groups.ts';
import type { ResultRow } from '../../queries.ts';

/** An event with the name of its stream. */
export interface StreamEvent extends LogEvent {
  logStreamName: string;
}

/** A query that was read: which events match, and the rows that they make. */
export interface CountQuery {
  isMatch(event: StreamEvent): boolean;
  rowsOf(matched: readonly StreamEvent[]): ResultRow[];
}

/**
 * Reads a query that counts: `filter` commands, then `stats count(*)`, with `as` and `by @logStream` if
 * wanted. Filters compare `@timestamp` or `@ingestionTime` with a number, and `@logStream` or `@message` with `=` or
 * `like`; `and` joins them.
 * @throws MalformedQueryException for everything else
 */
export function readQuery(text: string): CountQuery {
  const commands = splitOutside(text, '|').map((command) => command.trim());
  const stats = readStats(commands.pop() ?? '');
  const conditions = commands.flatMap((command) => {
    const [, filters] = /^filter\s(.+)$/s.exec(command) ?? [];
    if (filters === undefined) throw malformed(command);
    return splitOutside(filters, ' and ').map(readCondition);
  });
  return {
    isMatch: (event) => conditions.every((holds) => holds(event)),
    rowsOf: (matched) => countRows(matched, stats),
  };
}

/** Splits a text at a separator, but not inside of quotes or of a pattern in slashes. */
function splitOutside(text: string, separator: string): string[] {
  const starts = [0];
  let inside = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\\') at += 1;
    else if (character === inside) inside = '';
    else if (inside !== '') continue;
    else if (`"'/`.includes(character)) inside = character;
    else if (text.startsWith(separator, at)) starts.push(at + separator.length);
  }
  return starts.map((start, index) => {
    const next = starts[index + 1];
    return text.slice(start, next === undefined ? undefined : next - separator.length);
  });
}

type Condition = (event: StreamEvent) => boolean;

function readCondition(text: string): Condition {
  const [, field = '', operator = '', value = ''] =
    /^(@\w+)\s*(>=|<=|>|<|=|like)\s*(.*)$/s.exec(text.trim()) ?? [];
  const readTime = timeFields.get(field);
  if (readTime) {
    const compare = readComparison(operator, value, text);
    return (event) => compare(readTime(event));
  }
  const read = textFields.get(field);
  const holds = operator === 'like' ? readPattern(value) : readEqual(operator, value);
  if (!read || !holds) throw malformed(text);
  return (event) => holds(read(event));
}

const timeFields = new Map<string, (event: StreamEvent) => number>([
  ['@timestamp', ({ timestamp }) => timestamp],
  ['@ingestionTime', ({ ingestedAt }) => ingestedAt],
]);

const textFields = new Map<string, (event: StreamEvent) => string>([
  ['@logStream', ({ logStreamName }) => logStreamName],
  ['@message', ({ message }) => message],
]);

function readComparison(operator: string, value: string, text: string): (time: number) => boolean {
  const compare = comparisons.get(operator);
  if (!compare || !/^\d{1,19}$/.test(value)) throw malformed(text);
  return (time) => compare(time, Number(value));
}

const comparisons = new Map<string, (time: number, bound: number) => boolean>([
  ['>=', (time, bound) => time >= bound],
  ['<=', (time, bound) => time <= bound],
  ['>', (time, bound) => time > bound],
  ['<', (time, bound) => time < bound],
  ['=', (time, bound) => time === bound],
]);

function readEqual(operator: string, value: string): ((text: string) => boolean) | undefined {
  const wanted = unquote(value);
  if (operator !== '=' || wanted === undefined) return undefined;
  return (text) => text === wanted;
}

/** Reads `"text"`, which is anywhere, or `/text/` with `^` for the start. Nothing else of a pattern. */
function readPattern(value: string): ((text: string) => boolean) | undefined {
  const quoted = unquote(value);
  if (quoted !== undefined) return (text) => text.includes(quoted);
  const [, anchor, pattern = ''] = /^\/(\^?)(.*)\/$/s.exec(value) ?? [];
  // A special character is literal only after a backslash.
  const isLiteral = /^(?:[^\\^$.*+?()[\]{}|/]|\\[^\w\s])*$/.test(pattern);
  if (anchor === undefined || !isLiteral) return undefined;
  const literal = pattern.replace(/\\(.)/gs, '$1');
  return anchor === '^' ? (text) => text.startsWith(literal) : (text) => text.includes(literal);
}

function unquote(value: string): string | undefined {
  const [, double, single] = /^(?:"([^"\\]*)"|'([^'\\]*)')$/.exec(value) ?? [];
  return double ?? single;
}

interface Stats {
  name: string;
  isByStream: boolean;
}

function readStats(command: string): Stats {
  const [, expression = '', alias, by] =
    /^stats\s+(count\((?:\*|@\w+)?\))(?:\s+as\s+(\w+))?(\s+by\s+@logStream)?$/.exec(command) ?? [];
  if (expression === '') throw malformed(command);
  return { name: alias ?? expression, isByStream: by !== undefined };
}

/** Without a matched event there is no row (assumption). */
function countRows(matched: readonly StreamEvent[], { name, isByStream }: Stats): ResultRow[] {
  const counts = new Map<string, number>();
  for (const { logStreamName } of matched) {
    const group = isByStream ? logStreamName : '';
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return [...counts].map(([group, count]) => ({
    ...(isByStream && { '@logStream': group }),
    [name]: String(count),
  }));
}

/** The code is of the service model. The message names what the emulator cannot read. */
function malformed(text: string) {
  return awsError('MalformedQueryException', `unexpected symbol found: ${text}`);
}
