import { type Static, Type } from '@sinclair/typebox';

import { type PartitionBy, partitionBys } from '#coverage/ledger/units.ts';
import { maxLogGroups } from '#export-jobs/planning/create-export-job-body.ts';
import {
  type VerificationMode,
  verificationModes,
} from '#export-jobs/planning/verification-mode.ts';
import { Destination, LogGroupName, s3KeyMaxBytes } from '#export-tasks/create-export-task-body.ts';
import { suggestLogGroupPrefix } from '#export-tasks/name-corrections.ts';
import { awsLimits, inWords } from '#problems/limits.ts';
import { Instant } from '#validation/instant.ts';
import { Text } from '#validation/text.ts';
import { archiveTemplateDescription, defaultArchiveTemplate } from './archive-template.ts';

/** The defaults of an archive. */
export const archiveDefaults = {
  partitionBy: 'day',
  // Below the default of jobs: what people ask for now goes before what is exported anyway.
  priority: -5,
  refreshDays: 0,
  verification: 'objects',
} as const;

// AWS accepts log events that are up to 14 days old, so nothing changes after that.
const maxRefreshDays = 14;
// Ten years, the longest retention that CloudWatch Logs has.
const maxCatchUpDays = 3_653;
// Each one is compared with each name of each listing.
const maxExceptions = 100;
const maxUrlLength = 2_048;

const archiveModes = verificationModes.filter((mode) => mode !== 'off');
const timeFormats =
  'Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset. It must be the start of a partition.';

/** The verification of the exports of an archive, in requests and answers. */
export const ArchiveVerification = Type.Unsafe<Exclude<VerificationMode, 'off'>>({
  title: 'ArchiveVerification',
  type: 'string',
  enum: archiveModes,
  description:
    'Verification of the exports. Only verified exports count as covered, so `off` is not possible. `objects`: the objects in S3 are listed. `count`: the log events in them are counted, too. AWS charges for the count.',
  'x-rule': `one of ${archiveModes.join(', ')}`,
  'x-suggest': (text: string) =>
    text === 'off' ? 'an archive counts only exports that are verified' : undefined,
});

/** The calendar unit of partitions, in requests and answers. */
export const PartitionUnit = Type.Unsafe<PartitionBy>({
  title: 'PartitionBy',
  type: 'string',
  enum: partitionBys,
  'x-rule': `one of ${partitionBys.join(', ')}`,
  description: `The calendar unit of a partition, in UTC. A partition is one log group over one unit. It becomes one export, ${inWords(awsLimits.settlingMs)} after its end. Weeks begin on Monday.`,
});

/** The description of a prefix of log groups, in requests. */
export const logGroupPrefixDescription =
  'Archive every log group whose name begins with this, also log groups that are created later. A new log group is usually found within 15 minutes.';

/** The members of an archive that a request gives, by name. */
export const archiveMembers = {
  name: Text({
    minLength: 1,
    maxLength: 256,
    rule: 'text of 1 to 256 characters',
    description: 'A name for the archive, for people, metrics and alerts. It need not be unique.',
  }),
  logGroupNames: Type.Array(LogGroupName, {
    minItems: 1,
    maxItems: maxLogGroups,
    uniqueItems: true,
    'x-rule': `an array of 1 to ${maxLogGroups} names of log groups, each once`,
    description:
      'Names of the log groups to archive. Required unless `logGroupNamePrefix` is present.',
  }),
  logGroupNamePrefix: {
    ...LogGroupName,
    'x-suggest': suggestLogGroupPrefix,
    description: `${logGroupPrefixDescription} Required unless \`logGroupNames\` is present.`,
  },
  exceptLogGroupNamePrefixes: Type.Array(
    { ...LogGroupName, 'x-suggest': suggestLogGroupPrefix, description: 'A prefix to omit.' },
    {
      maxItems: maxExceptions,
      uniqueItems: true,
      'x-rule': `an array of at most ${maxExceptions} prefixes of names of log groups, each once`,
      description:
        'Omit log groups whose name begins with one of these. Default: none. Only with `logGroupNamePrefix`.',
    },
  ),
  to: Instant({
    description: `End of the archive, exclusive. ${timeFormats} Default: none, the archive continues until it is ended.`,
  }),
  destination: Destination,
  destinationPrefix: Text({
    minLength: 1,
    maxLength: s3KeyMaxBytes, // what a document can say of the rule below
    'x-maxUtf8Bytes': s3KeyMaxBytes,
    rule: `text of 1 to ${s3KeyMaxBytes} bytes in UTF-8, the limit of an S3 key`,
    default: defaultArchiveTemplate(archiveDefaults.partitionBy),
    description: archiveTemplateDescription,
  }),
  priority: Type.Integer({
    minimum: -10,
    maximum: 10,
    default: archiveDefaults.priority,
    'x-rule': 'an integer from -10 to 10',
    description: `Priority of the exports. A higher number starts first. Default: ${archiveDefaults.priority}, so that jobs with the default priority go first. Exports of log events that expire soon get priority 5, if the policies permit that.`,
  }),
  refreshDays: Type.Integer({
    minimum: 0,
    maximum: maxRefreshDays,
    default: archiveDefaults.refreshDays,
    'x-rule': `an integer from 0 to ${maxRefreshDays}`,
    description: `Number of days from the end of a partition to its second export, for late log events. Log events can arrive up to ${maxRefreshDays} days late. The second export has the next \`{revision}\`, and replaces the first one in the coverage. Default: 0, no second export.`,
  }),
  catchUpDays: Type.Integer({
    minimum: 1,
    maximum: maxCatchUpDays,
    'x-rule': `an integer from 1 to ${maxCatchUpDays}`,
    description:
      'Age at which a partition that is not covered is no longer exported automatically, in days since its end. Older partitions need a backfill. Default: no limit.',
  }),
  verification: {
    ...ArchiveVerification,
    default: archiveDefaults.verification,
    description: `${ArchiveVerification.description} Default: \`${archiveDefaults.verification}\`.`,
  },
  heartbeatUrl: Text({
    minLength: 1,
    maxLength: maxUrlLength,
    rule: `an https URL of at most ${maxUrlLength} characters`,
    description:
      'URL that this service calls with GET while the archive is `current`. Two calls are at least 5 minutes apart, and usually at most 7 minutes. A monitor that expects these calls notices when the archive falls behind, and when this service is down. The operator allows its origin with the setting HEARTBEAT_ORIGINS. Default: none.',
  }),
  allowOverload: Type.Boolean({
    default: false,
    'x-rule': 'true or false',
    description:
      'Whether to accept the archive even if all archives of the target together need more time than the slot has. Default: false. If true, the archive can fall behind. Log events that expire before their export are lost.',
  }),
};

/** The body of POST /archives. Planning applies the defaults of absent members. */
export type CreateArchive = Static<typeof CreateArchive>;
export const CreateArchive = Type.Object(
  {
    name: archiveMembers.name,
    logGroupNames: Type.Optional(archiveMembers.logGroupNames),
    logGroupNamePrefix: Type.Optional(archiveMembers.logGroupNamePrefix),
    exceptLogGroupNamePrefixes: Type.Optional(archiveMembers.exceptLogGroupNamePrefixes),
    partitionBy: Type.Optional({
      ...PartitionUnit,
      default: archiveDefaults.partitionBy,
      description: `${PartitionUnit.description} Default: \`${archiveDefaults.partitionBy}\`.`,
    }),
    from: Type.Optional(
      Instant({
        description: `Start of the archive, inclusive. ${timeFormats} Default: the start of the current partition.`,
      }),
    ),
    to: Type.Optional(archiveMembers.to),
    destination: archiveMembers.destination,
    destinationPrefix: Type.Optional(archiveMembers.destinationPrefix),
    priority: Type.Optional(archiveMembers.priority),
    refreshDays: Type.Optional(archiveMembers.refreshDays),
    catchUpDays: Type.Optional(archiveMembers.catchUpDays),
    verification: Type.Optional(archiveMembers.verification),
    heartbeatUrl: Type.Optional(archiveMembers.heartbeatUrl),
    allowOverload: Type.Optional(archiveMembers.allowOverload),
  },
  {
    title: 'CreateArchive',
    additionalProperties: false,
    // Said in words: from `oneOf` code generators make a union of two types that have no members.
    description:
      'A request for an archive. It requires exactly one of `logGroupNames` and `logGroupNamePrefix`.',
    'x-exactlyOneOf': ['logGroupNames', 'logGroupNamePrefix'],
    'x-rule':
      'a JSON object with name, logGroupNames or logGroupNamePrefix (one of them), and destination',
    examples: [
      {
        name: 'demo logs',
        logGroupNamePrefix: '/demo/',
        partitionBy: 'day',
        destination: 'demo-log-archive',
      },
    ],
  },
);
