import { type RawBuilder, sql } from 'kysely';

import type { Selection } from '../../partitions/selection.ts';

/** The same as `isSelected`, of a column with names of log groups. */
export function whereSelected(
  { logGroupNames, logGroupNamePrefix, exceptLogGroupNamePrefixes }: Selection,
  column: string,
): RawBuilder<boolean> {
  const name = sql.ref(column);
  const beginsWith = (prefix: string) =>
    sql<boolean>`substr(${name}, 1, ${sql.lit(prefix.length)}) = ${prefix}`;
  const selected = logGroupNames
    ? sql`${name} in (${sql.join(logGroupNames)})`
    : beginsWith(logGroupNamePrefix ?? '');
  const excepted = exceptLogGroupNamePrefixes.map((prefix) => sql` and not ${beginsWith(prefix)}`);
  return sql<boolean>`${selected}${sql.join(excepted, sql``)}`;
}
