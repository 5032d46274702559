import { awsError } from '../../../wire/aws-error.ts';
import { integer, optional, required, text } from '../../../wire/json-input.ts';
import { makeOperation } from '../../operation.ts';
import type { LogsQuery } from '../../queries.ts';

/** GetQueryResults: Scheduled, Running, then Complete with all rows on one page, by the clock. */
export const getQueryResults = makeOperation(
  {
    queryId: required(text({ max: 256 })),
    nextToken: optional(text({ min: 1 })),
    maxItems: optional(integer({ min: 1, max: 10_000 })),
  },
  ({ queryId }, { logs, clock }) => {
    const query = logs.queries.get(queryId);
    // The message is an assumption.
    if (!query) throw awsError('ResourceNotFoundException', 'The specified query does not exist.');
    const { result } = query;
    const rows = result?.rows ?? [];
    return {
      output: {
        queryLanguage: 'CWLI',
        results: rows.map((row) => Object.entries(row).map(([field, value]) => ({ field, value }))),
        statistics: {
          recordsMatched: result?.matched ?? 0,
          recordsScanned: result?.scanned ?? 0,
          estimatedRecordsSkipped: 0,
          bytesScanned: result?.bytes ?? 0,
          estimatedBytesSkipped: 0,
          logGroupsScanned: result?.groups ?? 0,
        },
        status: statusOf(query, clock.now()),
      },
    };
  },
);

function statusOf({ startsAt, result }: LogsQuery, now: number): string {
  if (result) return 'Complete';
  return now < startsAt ? 'Scheduled' : 'Running';
}
