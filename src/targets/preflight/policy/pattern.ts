import { allOf, type Truth } from './truth.ts';

/** `*`, or a policy variable such as `${aws:username}`: any text, as far as we know. */
const anyText = Symbol('any text');
/** `?`: any one character. */
const anyCharacter = Symbol('any character');

type Piece = string | typeof anyText | typeof anyCharacter;

const variable = /\$\{([^}]*)\}/y;

/** Whether a text matches a pattern with wildcards; `undefined` if that depends on a policy variable. */
export function matchPattern(text: string, pattern: string): Truth {
  return matchWhole(text, pattern, true);
}

/** Whether a text equals a value without wildcards; `undefined` if that depends on a policy variable. */
export function matchText(text: string, value: string): Truth {
  return value.includes('${') ? matchWhole(text, value, false) : text === value;
}

/**
 * Whether an ARN matches the pattern of an ARN condition: each of its six parts on its own, as AWS
 * documents it. `undefined` for a pattern that is no ARN.
 */
export function matchArn(arn: string, pattern: string): Truth {
  const patterns = splitArn(pattern);
  if (patterns.length !== arnParts) return undefined;
  return allOf(splitArn(arn).map((part, at) => matchPattern(part, patterns[at] ?? '')));
}

/**
 * Whether a resource matches the pattern of a Resource element. AWS documents that a wildcard does not
 * cross a colon, except at the end. Where this decides, the answer is `undefined`.
 */
export function matchResource(arn: string, pattern: string): Truth {
  const isWhole = matchPattern(arn, pattern);
  if (isWhole !== true || pattern === '*') return isWhole;
  const parts = splitArn(arn);
  const isByPart = allOf(splitArn(pattern).map((part, at) => matchPattern(parts[at] ?? '', part)));
  return isByPart === true ? true : undefined;
}

const arnParts = 6;

/** The parts of an ARN. The last one may have colons. */
function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  if (parts.length <= arnParts) return parts;
  return [...parts.slice(0, arnParts - 1), parts.slice(arnParts - 1).join(':')];
}

function matchWhole(text: string, pattern: string, hasWildcards: boolean): Truth {
  const { runs, hasVariable } = readRuns(pattern, hasWildcards);
  if (!matchesRuns(text, runs)) return false;
  return hasVariable ? undefined : true;
}

/** Splits a pattern where any text may stand. `${*}`, `${?}` and `${$}` are these characters. */
function readRuns(
  pattern: string,
  hasWildcards: boolean,
): { runs: Piece[][]; hasVariable: boolean } {
  const runs: Piece[][] = [[]];
  let hasVariable = false;
  const add = (piece: Piece) => (piece === anyText ? runs.push([]) : runs.at(-1)?.push(piece));
  for (let at = 0; at < pattern.length; ) {
    variable.lastIndex = at;
    const [whole, name] = variable.exec(pattern) ?? [];
    const character = pattern[at] as string;
    if (whole !== undefined) {
      const isEscape = hasWildcards && (name === '*' || name === '?' || name === '$');
      if (!isEscape) hasVariable = true;
      add(isEscape ? (name as string) : anyText);
    } else if (hasWildcards && character === '*') add(anyText);
    else add(hasWildcards && character === '?' ? anyCharacter : character);
    at += whole?.length ?? 1;
  }
  return { runs, hasVariable };
}

/**
 * Whether a text has the runs in this order, with any text between them: the first at its beginning, the
 * last at its end. A run between them may stand as early as possible, so no other place need be tried.
 */
function matchesRuns(text: string, runs: readonly Piece[][]): boolean {
  const [first = [], ...others] = runs;
  const last = others.pop();
  if (!standsAt(text, 0, first)) return false;
  if (!last) return text.length === first.length;
  const end = text.length - last.length;
  let at = first.length;
  for (const run of others) {
    while (at + run.length <= end && !standsAt(text, at, run)) at += 1;
    at += run.length;
    if (at > end) return false;
  }
  return at <= end && standsAt(text, end, last);
}

function standsAt(text: string, at: number, run: readonly Piece[]): boolean {
  if (at + run.length > text.length) return false;
  return run.every((piece, index) => piece === anyCharacter || piece === text[at + index]);
}
