import type { Queries } from '#database/database.ts';
import { writeJob } from '#export-jobs/store/requests/accept-job.ts';
import { raiseJob } from '#export-jobs/store/requests/raise-job.ts';
import { writeRetry } from '#export-jobs/store/requests/retry-job.ts';
import { putPartition } from '../../store/partitions/write-partitions.ts';
import type { Look } from '../look.ts';
import type { PlannedExport } from './plan-exports.ts';
import { lookIdOf } from './withdraw-partitions.ts';

/** Puts an export into the queue, in the transaction of the caller: one job of one slice. */
export async function putIntoQueue(
  { archive, writer, database }: Look,
  queries: Queries,
  { partition, kind, priority, policies }: PlannedExport,
  at: number,
): Promise<void> {
  const { archiveId, logGroupName, incarnation, fromAt, toAt, jobId, revision } = partition;
  const { principal, definition, target, name } = archive;
  const requestId = lookIdOf(writer.lease);
  if (kind === 'retry') {
    const action = 'RetryExportJob' as const;
    const auditContext = { action, principal: principal.id, requestId, policies };
    await raiseJob(queries, jobId, priority);
    await writeRetry(queries, database, jobId, auditContext, noLimit);
  }
  if (kind === 'new') {
    const { destination, destinationPrefix: prefixTemplate, verification } = definition;
    const slice = { number: 0, logGroupName, fromAt, toAt, notBeforeAt: null, readyAt: at };
    await writeJob(queries, database, {
      jobId,
      request: { principal, id: requestId },
      acceptedAt: at,
      keyUse: undefined,
      maxWaitingSlices: noLimit,
      partition: { archiveId, incarnation, revision },
      plan: {
        job: {
          target,
          name,
          priority,
          sliceBy: 'none',
          timeZone: 'UTC',
          fromAt,
          toAt,
          destination,
          prefixTemplate,
          logStreamNamePrefix: null,
          isUnsettledAllowed: false,
          verification,
          logGroupBytes: null,
        },
        logGroupNames: [logGroupName],
        slices: [slice],
        policies: [...policies],
      },
    });
  }
  await putPartition(queries, { ...partition, state: 'queued', retryAt: null });
}

/** An archive has a limit of its own, so that it does not take the place of its caller's jobs. */
const noLimit = 0;
