import type { Question, TargetIdentity } from '#auth/authorization/authorizer.ts';
import { utc } from '#export-jobs/planning/calendar/wall-clock.ts';
import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import type { ArchiveDefinition } from '../archive.ts';

/** The range of time that a caller wants in S3, epoch ms. */
interface WantedTime {
  fromAt: number;
  /** Null: without end. */
  toAt: number | null;
}

// The largest instant that AWS accepts. It stands for a time without end.
const endOfTime = 2n ** 60n;

/**
 * Makes the function that asks whether a log group may be archived over a range of time. The prefix is that
 * of its first partition; `archiveId` stands for the ids of the jobs, which do not exist yet.
 */
export function makeArchiveQuestion(
  target: TargetIdentity,
  archiveId: string,
  definition: ArchiveDefinition,
  { fromAt, toAt }: WantedTime = definition,
): (logGroupName: string) => Question {
  const { destination, destinationPrefix, priority } = definition;
  const { name, accountId, region } = target;
  const template = readPrefixTemplate(destinationPrefix, {
    target,
    jobId: archiveId,
    timeZone: utc,
  });
  return (logGroupName) => ({
    action: 'CreateArchive',
    resource: { target: { name, accountId, region }, logGroupName },
    context: {
      destination,
      destinationPrefix: template.render({ logGroupName, fromAt, attempt: 1 }),
      priority,
      from: BigInt(fromAt),
      to: toAt === null ? endOfTime : BigInt(toAt) - 1n,
    },
  });
}
