import type { Insertable } from 'kysely';

import type { Database } from '#database/database.ts';
import type { CoverageRow } from '#database/rows/coverage-row.ts';

const hourMs = 3_600_000;

/** The values of an export that matter to a test. */
export type CoverageValues = Partial<Insertable<CoverageRow>> & { jobId: string };

/** Inserts exports of the log group `/app`. Default: of the first hour. */
export async function insertCoverage(
  { queries }: Database,
  exports: readonly CoverageValues[],
): Promise<void> {
  await queries
    .insertInto('coverage')
    .values(
      exports.map((values) => ({
        slice: 0,
        attempt: 1,
        target: 'default',
        accountId: '123456789012',
        region: 'eu-west-1',
        logGroupName: '/app',
        fromAt: 0,
        toAt: hourMs,
        destination: 'archive',
        destinationPrefix: `jobs/${values.jobId}`,
        taskId: `task-of-${values.jobId}`,
        method: 'objects',
        isEmpty: 0 as const,
        objects: 1,
        bytes: 1,
        events: null,
        manifestKey: null,
        manifestSha256: null,
        exportedAt: 0,
        coveredAt: 0,
        archiveId: null,
        incarnation: null,
        revision: 1,
        isVoid: 0 as const,
        ...values,
      })),
    )
    .execute();
}
