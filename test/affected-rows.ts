import type { KyselyPlugin } from 'kysely';
import type { Database } from '#database/database.ts';

/** Wraps a database. `most` returns how many rows one statement of its transactions has changed at most. */
export function recordAffected(database: Database): { database: Database; most: () => number } {
  let most = 0;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      most = Math.max(most, Number(result.numAffectedRows ?? 0));
      return result;
    },
  };
  return {
    database: {
      ...database,
      transaction: (act) =>
        database.transaction((queries) => act(queries.withPlugin(plugin) as typeof queries)),
    },
    most: () => most,
  };
}
