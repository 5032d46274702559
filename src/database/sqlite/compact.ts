import { sql } from 'kysely';

import type { Queries } from '../database.ts';

// 4 MiB. Fewer: the file shrinks and grows with every job. More: it keeps more than it needs.
const minFreePages = 1_000;

/**
 * Gives at most `maxPages` free pages at the end of the file back to the disk. Returns whether more can be
 * given back. A file from before this was possible keeps them until it is rewritten at a start.
 */
export async function compactFile(queries: Queries, maxPages: number): Promise<boolean> {
  const before = await countFreePages(queries);
  if (before < minFreePages) return false;
  await sql`pragma incremental_vacuum(${sql.lit(maxPages)})`.execute(queries);
  const after = await countFreePages(queries);
  return after < before && after >= minFreePages;
}

async function countFreePages(queries: Queries): Promise<number> {
  const { rows } = await sql<{ freelistCount: number }>`pragma freelist_count`.execute(queries);
  return rows[0]?.freelistCount ?? 0;
}
