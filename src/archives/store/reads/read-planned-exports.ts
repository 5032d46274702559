import type { PartitionBy } from '#coverage/ledger/units.ts';
import type { Database, Queries } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';

/** What the number of exports of an archive depends on. */
interface PlannedExports {
  id: string;
  partitionBy: PartitionBy;
  refreshDays: number;
  logGroupCount: number;
}

/** Reads this of the archives of a target that have not ended. */
export async function readPlannedExports(
  queries: Queries,
  { kind }: Pick<Database, 'kind'>,
  target: string,
): Promise<PlannedExports[]> {
  // Definitions can have a thousand long names, so the database reads the members.
  const { jsonText } = engineSql[kind];
  const rows = await queries
    .selectFrom('archives')
    .select(['id', 'logGroupCount'])
    .select([
      jsonText('definition', 'partitionBy').$castTo<PartitionBy>().as('partitionBy'),
      jsonText('definition', 'refreshDays').as('refreshDays'),
    ])
    .where('target', '=', target)
    .where('endedAt', 'is', null)
    .execute();
  return rows.map((row) => ({ ...row, refreshDays: Number(row.refreshDays) }));
}
