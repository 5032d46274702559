/** A row of results: values by field. */
export type ResultRow = Record<string, string>;

/** A query of Logs Insights. It has a result from its end on. Instants are epoch ms. */
export interface LogsQuery {
  startsAt: number;
  endsAt: number;
  result:
    | { rows: ResultRow[]; matched: number; scanned: number; bytes: number; groups: number }
    | undefined;
}

/** The queries of one account and Region, by id. */
export type LogsQueries = Map<string, LogsQuery>;
