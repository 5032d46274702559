import { CompiledQuery, type KyselyPlugin } from 'kysely';

import type { Database } from '#database/database.ts';

/** Returns the database with a list of the statements that are sent through it, without those in transactions. */
export function recordStatements(database: Database): {
  database: Database;
  statements: CompiledQuery[];
} {
  const statements: CompiledQuery[] = [];
  const recorder: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      statements.push(database.queries.getExecutor().compileQuery(node, queryId));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return { database: { ...database, queries: database.queries.withPlugin(recorder) }, statements };
}

/** How the database finds the rows of a statement: the lines of its plan. */
export async function planOf(
  { queries, kind }: Database,
  { sql, parameters }: CompiledQuery,
): Promise<string[]> {
  const explain = kind === 'sqlite' ? 'explain query plan' : 'explain';
  const { rows } = await queries.executeQuery(
    CompiledQuery.raw(`${explain} ${sql}`, [...parameters]),
  );
  return rows.map((row) => String(Object.values(row as object).at(-1)));
}
