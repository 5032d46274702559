import type { Database } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { isSelected } from '../partitions/selection.ts';

// Archives with the same bucket and template. Fewer: one that shares log groups is overlooked. More: a plan reads
// too many definitions.
const maxRead = 100;

/**
 * Whether another archive of a target exports log groups of this one to the same prefixes. Then a reader of a
 * prefix gets each log event twice.
 */
export async function sharesPrefixes(
  { queries, kind }: Pick<Database, 'queries' | 'kind'>,
  target: string,
  definition: ArchiveDefinition,
  archiveId: string,
): Promise<boolean> {
  const { destination, destinationPrefix } = definition;
  const { jsonText } = engineSql[kind];
  const others = await queries
    .selectFrom('archives')
    .select('definition')
    .where('target', '=', target)
    .where('id', '!=', archiveId)
    .where('endedAt', 'is', null)
    .where(jsonText('definition', 'destination'), '=', destination)
    .where(jsonText('definition', 'destinationPrefix'), '=', destinationPrefix)
    .limit(maxRead)
    .execute();
  return others.some((other) => shareLogGroups(definition, JSON.parse(other.definition)));
}

/** Whether two archives can have the same log group. */
function shareLogGroups(one: ArchiveDefinition, other: ArchiveDefinition): boolean {
  if (one.logGroupNames) return one.logGroupNames.some((name) => isSelected(other, name));
  if (other.logGroupNames) return shareLogGroups(other, one);
  const [a, b] = [one.logGroupNamePrefix ?? '', other.logGroupNamePrefix ?? ''];
  const longer = a.length > b.length ? a : b;
  const isNested = a.startsWith(b) || b.startsWith(a);
  return isNested && isSelected(one, longer) && isSelected(other, longer);
}
