/** The parameters of FilterLogEvents. `from` and `to` are epoch ms, both inclusive. */
export interface FilterLogEvents {
  logGroupName: string;
  logStreamNamePrefix?: string | undefined;
  from: number;
  to: number;
  nextToken?: string | undefined;
  /** The number of events of a page, 1 to 10,000. */
  limit: number;
}

/** A page of events. It may be empty although others follow. */
export interface EventPage {
  /** The number of events in it. */
  events: number;
  /** When the first of them arrived in CloudWatch Logs, as epoch ms. Infinity if there is none. */
  firstArrivedAt: number;
  nextToken?: string;
  awsRequestId?: string | undefined;
}

/** The parameters of StartQuery. `from` and `to` are epoch seconds, both inclusive. */
export interface StartQuery {
  logGroupName: string;
  from: number;
  to: number;
  /** A query of CloudWatch Logs Insights. */
  queryString: string;
}

/** A query that AWS has accepted. */
export interface StartedQuery {
  queryId: string;
  awsRequestId?: string | undefined;
}

/** The state of a query and its results so far. */
export interface QueryResults {
  /** Scheduled, Running, Complete, Failed, Cancelled, Timeout or Unknown. */
  status: string;
  /** The values by field. */
  rows: Record<string, string>[];
  awsRequestId?: string | undefined;
}
