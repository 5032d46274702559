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

/** What is asked about the log groups of an archive before it exports them. */
export interface ArchiveQuestions {
  /** Says why AWS cannot export a log group to its prefix; `undefined` when it can. It renders nothing. */
  faultFor(logGroupName: string): string | undefined;
  /** Asks whether a log group may be archived over a range of time. Default: that of the archive. */
  toQuestion(logGroupName: string, time?: WantedTime): Question;
}

/**
 * Makes the questions of an archive. The prefix is that of the first partition; `archiveId` stands for the ids of
 * the jobs, which do not exist yet.
 */
export function makeArchiveQuestions(
  target: TargetIdentity,
  archiveId: string,
  definition: ArchiveDefinition,
): ArchiveQuestions {
  const { destination, destinationPrefix, priority } = definition;
  const { name, accountId, region } = target;
  const template = readPrefixTemplate(destinationPrefix, {
    target,
    jobId: archiveId,
    timeZone: utc,
  });
  return {
    faultFor: template.faultFor,
    toQuestion: (logGroupName, { fromAt, toAt } = definition) => ({
      action: 'CreateArchive',
      resource: { target: { name, accountId, region }, logGroupName },
      context: {
        destination,
        destinationPrefix: template.render({ logGroupName, fromAt, attempt: 1 }),
        priority,
        from: BigInt(fromAt),
        to: toAt === null ? endOfTime : BigInt(toAt) - 1n,
      },
    }),
  };
}
