import { Type } from '@sinclair/typebox';

import { Text } from '#validation/text.ts';
import { invalidRequest } from '#validation/violations.ts';

/** Entries of a page unless its request says how many. */
export const defaultPageLimit = 20;

/** How many entries a page may have. */
export const PageLimit = Type.Integer({
  minimum: 1,
  maximum: 100,
  description: `Maximum number of entries in the answer. Default: ${defaultPageLimit}.`,
  'x-rule': 'an integer from 1 to 100',
});
/** Where a page begins, as an earlier one said. */
export const PageCursor = Text({
  minLength: 1,
  maxLength: 256,
  rule: 'the nextCursor of an earlier answer',
  description: 'The `nextCursor` of the previous page. Default: the first page.',
});
export const NextCursor = Type.Optional(
  Type.String({ description: 'Cursor of the next page. Absent on the last page.' }),
);

/** A page of a list, and the cursor of the next when there is more. */
export interface Page<Entry> {
  entries: Entry[];
  nextCursor?: string;
}

/**
 * Cuts a page out of rows read with one more than its limit. A cursor says where the page ended, not
 * how many rows there were: what is added meanwhile shifts nothing.
 */
export function toPage<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => readonly (string | number)[],
): Page<Row> {
  const entries = rows.slice(0, limit);
  const last = entries.at(-1);
  if (rows.length <= limit || last === undefined) return { entries };
  return { entries, nextCursor: toCursor(placeOf(last)) };
}

/** Makes the cursor of a place. */
export function toCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/**
 * Reads a cursor back: the place it was made of, `undefined` when there is none.
 * @throws Problem invalid-request, when its members are not of those types
 */
export function readCursor<const Types extends readonly ('string' | 'number')[]>(
  cursor: string | undefined,
  types: Types,
): { [Index in keyof Types]: Types[Index] extends 'string' ? string : number } | undefined {
  if (cursor === undefined) return undefined;
  const place = parsed(cursor);
  const isPlace =
    Array.isArray(place) &&
    place.length === types.length &&
    place.every((member, index) =>
      types[index] === 'number'
        ? Number.isSafeInteger(member)
        : typeof member === 'string' && /^[\w-]+$/.test(member),
    );
  if (isPlace) return place as never;
  const detail = 'must be the unchanged nextCursor of an earlier answer';
  throw invalidRequest([{ in: 'query', pointer: '#/cursor', detail }]);
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
