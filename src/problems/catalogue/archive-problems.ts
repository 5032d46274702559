import { awsLimits, inDigits, inWords, statedLimits } from '../limits.ts';
import type { ProblemKind } from './problem-kind.ts';

/** What is refused about archives. */
export const archiveProblems = {
  'archive-not-found': {
    status: 404,
    title: 'Archive not found',
    explanation:
      'No archive with this id exists, or you are not allowed to see it. A change of an archive also gets this problem if no policy permits it.',
    remedy: 'Check the id. GET /archives?caller=* lists the archives that you may see.',
    isRetryable: false,
  },
  'archive-impossible': {
    status: 422,
    title: 'Retention too short for the partitions of an archive',
    explanation: `A partition is exportable ${inWords(awsLimits.settlingMs)} after its end, because log events can take that long to become exportable. This service adds ${inWords(statedLimits.shortestExportMs)} for the export. The retention of a log group must be longer than a partition and these hours together. At least one log group has a shorter retention. \`detail\` has the numbers. A dry run has the same limit.`,
    remedy:
      'Choose a longer retention of the log group in AWS, or create an archive with a smaller `partitionBy`. Or omit the log group: remove it from `logGroupNames`. With `logGroupNamePrefix`, add it to `exceptLogGroupNamePrefixes` instead.',
    isRetryable: false,
  },
  'archive-overload': {
    status: 422,
    title: 'Too many exports for the slot of the target',
    explanation:
      'AWS runs one export task at a time for each account and Region. On average, the archives of the target have too much to export: it takes longer than a day to export one day of logs. `detail` has the numbers. The duration of an export is known from earlier exports of the target, or assumed. A dry run has the same limit.',
    remedy:
      'Choose fewer log groups. Or set `refreshDays` to 0, so that no partition is exported a second time. Or create an archive with a larger `partitionBy`. If the exports are faster than assumed, set `allowOverload` to true.',
    isRetryable: false,
  },
  'archive-ended': {
    status: 409,
    title: 'Archive ended',
    explanation:
      'An archive that was ended does not change, and starts no more exports. Its coverage stays readable.',
    remedy:
      'Create a new archive. Set its `from` to the start of the first partition that this archive has not covered. GET /archives/{archiveId}/coverage has the states of the partitions.',
    isRetryable: false,
  },
  'too-many-backfills': {
    status: 422,
    title: 'Limit of backfills reached',
    explanation: `An archive can have ${inDigits(statedLimits.backfillsPerArchive)} backfills in its life. The names in \`logGroupNames\` of all its backfills can have ${inDigits(statedLimits.backfillNamesPerArchive)} characters together. Backfills that have ended count, too.`,
    remedy:
      'Create a new archive, and end this one. For the backfills of the new one, use wider time ranges and more log groups. Or, if the names are too many, omit `logGroupNames`: the backfill is then for all log groups.',
    isRetryable: false,
  },
  'too-many-waivers': {
    status: 422,
    title: 'Limit of waivers reached',
    explanation: `An archive can have ${inDigits(statedLimits.waiversPerArchive)} waivers in its life.`,
    remedy:
      'Create a new archive, and end this one. For the waivers of the new one, use wider time ranges.',
    isRetryable: false,
  },
  'nothing-to-waive': {
    status: 422,
    title: 'No partition to waive',
    explanation:
      'A waiver is for partitions of the archive that are not covered. The time range of the request has no such partition.',
    remedy:
      'Read GET /archives/{archiveId}/coverage for the log group. It has the state of each partition. Use the time range of partitions that are `lost`, `missing`, `atRisk`, `waiting` or `open`.',
    isRetryable: false,
  },
  'precondition-failed': {
    status: 412,
    title: 'Archive changed by another request',
    explanation:
      'The `If-Match` header has the `ETag` of an earlier definition of the archive. Another request has changed the definition since. So your change could undo it. The definition has all members that PATCH /archives/{archiveId} can change, including `name`. Progress of the exports changes the `ETag`, too, but does not lead to this problem: only the definition is compared.',
    remedy:
      'Read the archive again with GET /archives/{archiveId}, apply your change to it, and send its `ETag` as `If-Match`.',
    isRetryable: false,
  },
  'precondition-required': {
    status: 428,
    title: 'If-Match required',
    explanation:
      'A change of an archive needs the `ETag` of the definition that it changes. Otherwise it could undo a change of another request.',
    remedy:
      'Read the archive with GET /archives/{archiveId}, and send its `ETag` as `If-Match`. To change the archive without this check, send `If-Match: *`.',
    isRetryable: false,
  },
  'too-many-archives': {
    status: 429,
    title: 'Limit of archives reached',
    explanation: `A caller can have ${inDigits(statedLimits.archivesPerCaller)} archives. Archives that have ended do not count. A repeat of the request succeeds when one of your archives has ended. Callers that do not authenticate share the limit.`,
    remedy:
      'Send DELETE /archives/{archiveId} to end an archive that you do not need, then send the request again. Or use one archive for more log groups: with a shorter `logGroupNamePrefix` it has more.',
    isRetryable: true,
    retryAfterSeconds: 60,
  },
} as const satisfies Record<string, ProblemKind>;
