import type { Queries } from '#database/database.ts';
import type { Selection } from '../../partitions/selection.ts';
import { whereAgain } from '../log-groups/where-again.ts';
import { whereSelected } from '../log-groups/where-selected.ts';

/** A backfill of an archive, as the wanted time depends on it. */
export interface Backfill {
  number: number;
  /** Null: all log groups of the archive. */
  logGroupNames: readonly string[] | null;
  fromAt: number;
  toAt: number;
  order: 'oldest' | 'newest';
  endedAt: number | null;
}

// Fewer: more statements for each look. More: the names of each can be half a megabyte of text.
const backfillsPerPage = 20;

/**
 * Reads all backfills of an archive in the order of their requests. Of their names, only those that are log groups of
 * the archive by now are kept: the others can be a million. With `logGroupName`: only this one.
 */
export async function readBackfills(
  queries: Queries,
  archiveId: string,
  logGroupName?: string,
): Promise<Backfill[]> {
  const backfills: Backfill[] = [];
  let known: ReadonlyMap<string, string> | undefined;
  for (;;) {
    const rows = await queries
      .selectFrom('archiveBackfills')
      .select(['number', 'logGroupNames', 'fromAt', 'toAt', 'serveOrder as order', 'endedAt'])
      .where('archiveId', '=', archiveId)
      .where('number', '>', backfills.at(-1)?.number ?? 0)
      .orderBy('number')
      .limit(backfillsPerPage)
      .execute();
    for (const row of rows) {
      if (row.logGroupNames !== null) known ??= await readNames(queries, archiveId, logGroupName);
      backfills.push({ ...row, logGroupNames: keptNames(row.logGroupNames, known) });
    }
    if (rows.length < backfillsPerPage) return backfills;
  }
}

/** Returns names of a row. Those of all backfills are the same texts in memory. */
function keptNames(json: string | null, known?: ReadonlyMap<string, string>): string[] | null {
  if (json === null) return null;
  const names: string[] = JSON.parse(json);
  return names.flatMap((name) => known?.get(name) ?? []);
}

async function readNames(
  queries: Queries,
  archiveId: string,
  logGroupName: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  if (logGroupName !== undefined) return new Map([[logGroupName, logGroupName]]);
  const rows = await queries
    .selectFrom('archiveLogGroups')
    .select('logGroupName')
    .distinct()
    .where('archiveId', '=', archiveId)
    .execute();
  return new Map(rows.map((row) => [row.logGroupName, row.logGroupName]));
}

/**
 * Ends the backfills of an archive that wait for no partition: none is left to export, for the first time or again.
 */
export async function endBackfills(
  queries: Queries,
  { id: archiveId, definition }: { id: string; definition: Selection },
  open: ReadonlySet<number>,
  at: number,
): Promise<void> {
  await queries
    .updateTable('archiveBackfills')
    .set({ endedAt: at })
    .where('archiveId', '=', archiveId)
    .where('endedAt', 'is', null)
    .where('number', 'not in', [0, ...open])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('archiveRanges as ranges')
            .select('ranges.fromAt')
            .where('ranges.archiveId', '=', archiveId)
            .where('ranges.again', '=', 'backfill')
            .where(whereSelected(definition, 'ranges.logGroupName'))
            .whereRef('ranges.fromAt', '<', 'archiveBackfills.toAt')
            .whereRef('ranges.toAt', '>', 'archiveBackfills.fromAt')
            // A partition that is not tried again keeps no backfill open.
            .where(whereAgain),
        ),
      ),
    )
    .execute();
}
