import { type Static, Type } from '@sinclair/typebox';

import { Count, SliceProblem } from '#export-jobs/export-job.ts';
import { Warning } from '#export-tasks/export-task.ts';
import { inDigits, statedLimits } from '#problems/limits.ts';
import { DateTime } from '#time/date-time.ts';
import { Text } from '#validation/text.ts';
import {
  type ArchiveState,
  archiveStates,
  type PartitionState,
  partitionStates,
} from '../archive.ts';
import { ArchiveVerification, PartitionUnit } from '../planning/definition/create-archive-body.ts';
import { NextExpiry } from './next-expiry.ts';

/** The id of the archive in the examples of the OpenAPI document. */
export const exampleArchiveId = 'c2a0f6de-3f0e-4c8e-8b8f-6a4f3f3f2b71';

/** The id of an archive, in paths. */
const ArchiveId = Text({
  minLength: 1,
  maxLength: 64,
  rule: 'the id of an archive, 1 to 64 characters',
  description: 'Id of the archive.',
  examples: [exampleArchiveId],
});
export const ArchiveParams = Type.Object({ archiveId: ArchiveId }, { additionalProperties: false });

/** A state of an archive, in queries and answers. */
export const ArchiveStateName = Type.Unsafe<ArchiveState>({
  title: 'ArchiveState',
  type: 'string',
  enum: archiveStates,
  description: `State of the archive, the first one that applies. \`ended\`: it starts no more exports. \`paused\`: it starts no exports until it is resumed. In both states, running exports continue. \`atRisk\`: log events that are not exported expire soon. \`incomplete\`: at least one partition is lost or failed. A partition is failed if its latest export failed, or if somebody cancelled its job. Waived partitions do not count. \`behind\`: a partition has been due for more than an hour, and is neither covered nor waived. Partitions older than \`catchUpDays\` count, too. An archive is also \`behind\` if \`stopProblem\` is present. The same applies if its log groups have not been listed for 24 minutes. It also applies if there are more than ${inDigits(statedLimits.logGroupsPerArchive)} of them. A new archive is \`behind\` until the service has listed them. \`current\`: no other state applies. A partition that has been due for less than an hour can still wait for its export.`,
  'x-rule': `one of ${archiveStates.join(', ')}`,
});

const countDescriptions: Record<PartitionState, string> = {
  open: 'that are not due yet: they have not ended, or their log events are not exportable yet',
  waiting: 'that are due and wait for their export',
  running: 'whose export is in progress or is being verified',
  covered: 'that are exported and verified',
  missing:
    'in the state `missing`: their export failed, somebody cancelled its job, they are older than `catchUpDays`, or the archive ended before their export',
  atRisk:
    'in the state `atRisk`: their log events expire soon. `PartitionState` says when this state replaces `open`, `waiting` or `missing`',
  lost: 'that can no longer be exported: their log events have expired, or their log group was deleted',
  waived: 'that need no export, because a caller has waived them',
};
const partitionCounts = Object.fromEntries(
  partitionStates.map((state) => [
    state,
    Count(`Number of partitions ${countDescriptions[state]}.`),
  ]),
) as Record<PartitionState, ReturnType<typeof Count>>;

/** The most names of each archive in a list. */
export const maxNamesInList = 100;

/** The values of a planned or accepted archive. */
export const archiveFacts = {
  target: Type.String({ description: 'Name of the target.' }),
  name: Type.String({ description: 'Name of the archive.' }),
  caller: Type.String({
    description: 'Id of the caller whose archive it is: `<issuer>#<subject>`, or `anonymous`.',
  }),
  logGroupNames: Type.Optional(
    Type.Array(Type.String(), {
      description: `Names of the log groups. Present if the archive is defined by names. GET /archives returns only the first ${maxNamesInList} names of each archive.`,
    }),
  ),
  logGroupNamePrefix: Type.Optional(
    Type.String({
      description:
        'Prefix of the names of the log groups. Present if the archive is defined by a prefix.',
    }),
  ),
  exceptLogGroupNamePrefixes: Type.Array(Type.String(), {
    description: 'The archive omits log groups whose name begins with one of these.',
  }),
  partitionBy: PartitionUnit,
  from: DateTime('Start of the archive, inclusive.'),
  to: Type.Optional(DateTime('End of the archive, exclusive. Absent if it has no end.')),
  destination: Type.String({ description: 'Name of the destination S3 bucket.' }),
  destinationPrefix: Type.String({
    description: 'Template for the key prefix of the exported objects.',
  }),
  priority: Type.Integer({
    description: 'Priority of the exports, from -10 to 10. A higher number starts first.',
  }),
  refreshDays: Type.Integer({
    description:
      'Number of days from the end of a partition to its second export. 0 means no second export.',
  }),
  catchUpDays: Type.Optional(
    Type.Integer({
      description:
        'Age at which a missed partition is no longer exported automatically, in days since its end. Absent if there is no limit.',
    }),
  ),
  verification: ArchiveVerification,
  heartbeatOrigin: Type.Optional(
    Type.String({
      description:
        'Origin of `heartbeatUrl`. The rest of the URL can be a secret, so no answer has it. Absent if there is no heartbeat.',
    }),
  ),
  allowOverload: Type.Boolean({
    description:
      'Whether the archive is accepted even if all archives of the target together need more time than the slot has.',
  }),
  warnings: Type.Optional(
    Type.Array(Warning, {
      description:
        'Likely mistakes in the request. Present if there are any. Only answers to POST and PATCH have them.',
    }),
  ),
};

const Link = (description: string) => Type.String({ format: 'uri-reference', description });

const Pause = Type.Object(
  {
    at: DateTime('When the archive was paused.'),
    caller: Type.String({ description: 'Id of the caller who paused it.' }),
    reason: Type.String({ description: 'The reason that this caller gave.' }),
  },
  { title: 'ArchivePause', description: 'The pause. Present while the archive is paused.' },
);

const Progress = Type.Object(
  {
    lookedAt: DateTime('When this was observed.'),
    watermark: Type.Optional(
      DateTime(
        'Before this instant everything is covered or waived, for all log groups. Absent before the log groups are listed.',
      ),
    ),
    logGroupCount: Count('Number of log groups that exist.'),
    partitionCounts: Type.Object(partitionCounts, {
      title: 'PartitionCounts',
      description: 'Number of partitions in each state.',
    }),
    emptyPartitionCount: Count('Number of covered partitions without log events.'),
    failedRepeatCount: Count(
      'Number of covered partitions whose second export failed for the last time. Late log events of them can be missing. A backfill with `"reprocess": "failed"` exports them again.',
    ),
    nextExpiry: Type.Optional(NextExpiry),
    slotShare: Type.Number({
      minimum: 0,
      description:
        'Share of the last day in which exports of this archive held the slot. 1 is all the time.',
    }),
    listingProblem: Type.Optional(
      Type.String({
        description:
          'The reason why the list of log groups is incomplete or old. Absent if it is neither.',
      }),
    ),
  },
  {
    title: 'ArchiveProgress',
    description: 'The state of the partitions. Absent before the first look at the archive.',
  },
);

/** An archive as callers see it. A member without a value is absent. */
export type Archive = Static<typeof Archive>;
export const Archive = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'Id of the archive.' }),
    ...archiveFacts,
    state: ArchiveStateName,
    createdAt: DateTime('When the archive was created.'),
    pause: Type.Optional(Pause),
    endedAt: Type.Optional(DateTime('When the archive was ended. Absent before that.')),
    stopProblem: Type.Optional({
      ...SliceProblem,
      description:
        'The reason why the archive is stopped: all of its exports would fail. The service checks the destination every 15 minutes. If the checks find no fault, the archive creates exports on trial. The problem is absent when AWS has accepted one of them.',
    }),
    progress: Type.Optional(Progress),
    links: Type.Object(
      {
        self: Link('URL path of the archive.'),
        coverage: Link('URL path of its coverage.'),
        pause: Link('URL path to pause the archive.'),
        resume: Link('URL path to resume the archive.'),
        backfills: Link('URL path to request backfills.'),
        waivers: Link('URL path to waive partitions.'),
      },
      { title: 'ArchiveLinks', description: 'URL paths of the operations on this archive.' },
    ),
  },
  {
    title: 'Archive',
    description: 'An archive: log groups that are exported continuously, partition by partition.',
  },
);

const self = `/archives/${exampleArchiveId}`;

/** An archive in use, for examples. */
export const exampleArchive = {
  id: exampleArchiveId,
  target: 'default',
  name: 'demo logs',
  caller: 'anonymous',
  logGroupNamePrefix: '/demo/',
  exceptLogGroupNamePrefixes: [],
  partitionBy: 'day' as const,
  from: '2024-05-01T00:00:00.000Z',
  destination: 'demo-log-archive',
  destinationPrefix: '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/r{revision}/{attempt}',
  priority: -5,
  refreshDays: 0,
  verification: 'objects' as const,
  allowOverload: false,
  state: 'current' as const,
  createdAt: '2024-05-01T08:00:00.000Z',
  progress: {
    lookedAt: '2024-05-04T12:02:00.000Z',
    watermark: '2024-05-04T00:00:00.000Z',
    logGroupCount: 3,
    partitionCounts: {
      open: 3,
      waiting: 0,
      running: 0,
      covered: 9,
      missing: 0,
      atRisk: 0,
      lost: 0,
      waived: 0,
    },
    emptyPartitionCount: 1,
    failedRepeatCount: 0,
    slotShare: 0.01,
  },
  links: {
    self,
    coverage: `${self}/coverage`,
    pause: `${self}/pause`,
    resume: `${self}/resume`,
    backfills: `${self}/backfills`,
    waivers: `${self}/waivers`,
  },
} satisfies Archive;
