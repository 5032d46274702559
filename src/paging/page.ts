import { Type } from '@sinclair/typebox';

import { Text } from '#validation/text.ts';
import { invalidRequest } from '#validation/violations.ts';

/** Entries of a page unless its request says how many. */
export const defaultPageLimit = 20;

/**
 * How many decisions one page takes at most. Fewer: a caller who may see few of many entries gets many
 * short pages. More: an answer takes seconds, or tenths of a second of CPU.
 */
export const maxDecisionsPerPage = 500;

/**
 * How many parts of a list one page reads at most. Fewer: a filter that matches few entries gives many short
 * pages. More: an answer takes seconds, or tenths of a second of CPU.
 */
export const maxPartsPerPage = 10;

const PageLimit = Type.Integer({
  minimum: 1,
  maximum: 100,
  description: `Maximum number of entries in the answer. Default: ${defaultPageLimit}.`,
  'x-rule': 'an integer from 1 to 100',
});
const PageCursor = Text({
  minLength: 1,
  maxLength: 1_024, // a name of 512 characters, encoded
  rule: 'the nextCursor of an earlier answer',
  description: 'The `nextCursor` of the previous page. Default: the first page.',
});
/** The parameters of every operation that pages. */
export const pageParameters = {
  limit: Type.Optional(PageLimit),
  cursor: Type.Optional(PageCursor),
};
export const NextCursor = Type.Optional(
  Type.String({ description: 'Cursor of the next page. Absent on the last page.' }),
);

/** A page of a list, with the cursor of the next page if there is one. */
export interface Page<Entry> {
  entries: Entry[];
  nextCursor?: string;
}

/** A position in a list, the newest first. */
export interface AgeCursor {
  /** When the entry was created, epoch ms. */
  at: number;
  id: string;
}

/** A part of a list in its order, and the position after which the list continues. No `next`: it ends. */
export interface ListPart<Entry> {
  entries: readonly Entry[];
  next?: AgeCursor | undefined;
}

/**
 * Makes a page of rows that were read with one more than the limit. A cursor names the last row, not
 * the number of rows. So new rows do not shift the next page.
 */
export function toPage<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly (string | number)[],
): Page<Row> {
  const entries = rows.slice(0, limit);
  const last = entries.at(-1);
  if (rows.length <= limit || last === undefined) return { entries };
  return { entries, nextCursor: toCursor(keyOf(last)) };
}

/** Makes a cursor of the key of a row. */
export function toCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The type of a member of a key. An `ordinal` fits into a column of 32 bits, a `number` into one of 64. */
type KeyType = 'string' | 'number' | 'ordinal';

const maxOrdinal = 2 ** 31 - 1;

/**
 * Reads the key from a cursor; `undefined` when there is no cursor. A cursor can be forged: PostgreSQL fails if it
 * compares a column with a number that is too large for it.
 * @throws Problem invalid-request, when the members of the key do not have these types
 */
export function readCursor<const Types extends readonly KeyType[]>(
  cursor: string | undefined,
  types: Types,
): { [Index in keyof Types]: Types[Index] extends 'string' ? string : number } | undefined {
  if (cursor === undefined) return undefined;
  const key = parseCursor(cursor);
  const isKey =
    Array.isArray(key) &&
    key.length === types.length &&
    key.every((member, index) => isOfType(member, types[index]));
  if (isKey) return key as never;
  const detail = 'must be the unchanged nextCursor of an earlier answer';
  throw invalidRequest([{ in: 'query', pointer: '#/cursor', detail }]);
}

function isOfType(member: unknown, type: KeyType | undefined): boolean {
  if (type === 'string') return typeof member === 'string' && /^[\w./#-]+$/.test(member);
  return (
    Number.isSafeInteger(member) && (type === 'number' || Math.abs(Number(member)) <= maxOrdinal)
  );
}

function parseCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
