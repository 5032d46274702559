import { setImmediate } from 'node:timers/promises';

import {
  type AgeCursor,
  type ListPart,
  maxDecisionsPerPage,
  maxPartsPerPage,
  type Page,
  toCursor,
  toPage,
} from '#paging/page.ts';
import type { Evaluated } from './owned-access.ts';

/** What a page is made of. */
export interface PermittedPageOptions<Head> {
  limit: number;
  /** The position after which the page begins. Default: the beginning. */
  after: AgeCursor | undefined;
  /** Reads at most `rows` entries in their order, after a position. Its work must be bounded. */
  readPart: (after: AgeCursor | undefined, rows: number) => Promise<ListPart<Head>>;
  /** Evaluates which of them belong to the page, in their order. */
  evaluate: (heads: readonly Head[]) => AsyncIterable<Evaluated<Head>>;
  cursorOf: (head: Head) => AgeCursor;
  /**
   * How many parts are read at most. Fewer: a filter that matches few entries gives many short pages. More: an answer
   * takes seconds, or tenths of a second of CPU. Default: `maxPartsPerPage`.
   */
  maxParts?: number;
}

// For each query after the first. Fewer: more queries. More: rows are read that no decision needs.
const rowsPerQuery = 100;

/**
 * Reads entries in their order until the page is full of those that the caller may see. It ends early, with
 * a cursor, after `maxDecisionsPerPage` and after `maxParts`.
 */
export async function readPermittedPage<Head>({
  limit,
  after: first,
  readPart,
  evaluate,
  cursorOf,
  maxParts = maxPartsPerPage,
}: PermittedPageOptions<Head>): Promise<Page<Head>> {
  const readable: Head[] = [];
  let after = first;
  let decisions = 0;
  // Mostly the caller may see all of a page. One more row shows whether there is another page.
  for (let rows = limit + 1, parts = 1; ; rows = rowsPerQuery, parts += 1) {
    const { entries: heads, next } = await readPart(after, rows);
    for await (const evaluated of evaluate(heads)) {
      decisions += evaluated.decisions;
      after = cursorOf(evaluated.head);
      if (evaluated.isPermitted) readable.push(evaluated.head);
      if (readable.length > limit)
        return toPage(readable, limit, (head) => {
          const { at, id } = cursorOf(head);
          return [at, id];
        });
      if (decisions >= maxDecisionsPerPage)
        return { entries: readable, nextCursor: cursorAfter(after) };
    }
    if (next === undefined) return { entries: readable };
    if (parts === maxParts) return { entries: readable, nextCursor: cursorAfter(next) };
    after = next;
    await setImmediate(); // other requests run between two statements of SQLite
  }
}

/**
 * Makes a cursor after a hidden entry. It has only as much of the id as separates the entry from its
 * neighbours.
 */
function cursorAfter({ at, id }: AgeCursor): string {
  return toCursor([at, id.slice(0, 8)]);
}
