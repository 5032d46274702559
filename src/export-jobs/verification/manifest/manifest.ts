import { type Static, Type } from '@sinclair/typebox';

import { manifestPrefixOf } from '#aws/destination-prefix.ts';
import { DateTime } from '#time/date-time.ts';

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Sha256 = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description });

/** An object of an export. */
export type ManifestObject = Static<typeof ManifestObject>;
export const ManifestObject = Type.Object(
  {
    key: Type.String({ description: 'Key of the object in the bucket.' }),
    size: Count('Size of the object in bytes.'),
    etag: Type.String({
      description:
        'ETag of the object, without quotation marks. It is no digest of the content if the bucket uses SSE-KMS.',
    }),
    checksum: Type.Optional(
      Type.Object(
        {
          algorithm: Type.String({ description: 'Algorithm of the checksum, such as CRC64NVME.' }),
          value: Type.String({ description: 'Value of the checksum in Base64, as S3 has it.' }),
          type: Type.Optional(
            Type.String({
              description:
                'FULL_OBJECT, or COMPOSITE for a checksum of the checksums of parts. Absent if S3 does not say.',
            }),
          ),
        },
        {
          description:
            'Checksum of the object in S3. Absent if S3 has none, or if the service role may not read the object.',
        },
      ),
    ),
  },
  { description: 'An object of the export.' },
);

/** What shows that an export is empty. */
export type EmptinessEvidence = Static<typeof EmptinessEvidence>;
export const EmptinessEvidence = Type.Object(
  {
    checkedBy: Type.Unsafe<'FilterLogEvents' | 'StartQuery' | 'ListObjectsV2'>({
      title: 'EmptinessCheck',
      type: 'string',
      enum: ['FilterLogEvents', 'StartQuery', 'ListObjectsV2'],
      description:
        'Source of the evidence. `FilterLogEvents`: no log event was found in the log group. `StartQuery`: CloudWatch Logs Insights counted no log event. `ListObjectsV2`: there are no objects, and a search for log events was not possible or would prove nothing. It would prove nothing if the export began less than 12 hours after the end of its time range.',
    }),
    pages: Count('Number of pages of FilterLogEvents that were read.'),
    isExhaustive: Type.Boolean({
      description:
        'Whether the search for log events was complete. If true, the time range had none 12 hours before the export began. Always true with `StartQuery`. With `FilterLogEvents`, it is true if all pages were read.',
    }),
    problem: Type.Optional(
      Type.String({
        description:
          'Name of the problem that prevented the search for log events. Absent if there was none.',
      }),
    ),
  },
  {
    title: 'EmptinessEvidence',
    description: 'Evidence that the export is empty. Present if `isEmpty` is true.',
  },
);

/** The manifest of an export: what was asked for, and what AWS has written. */
export type Manifest = Static<typeof Manifest>;
export const Manifest = Type.Object(
  {
    formatVersion: Type.Literal(1, { description: 'Version of this format.' }),
    accountId: Type.String({ description: 'Id of the AWS account of the log group.' }),
    region: Type.String({ description: 'AWS Region of the log group and of the bucket.' }),
    logGroupName: Type.String({ description: 'Name of the log group.' }),
    logStreamNamePrefix: Type.Optional(
      Type.String({
        description:
          'Only log streams whose name begins with this are exported. Absent if all are.',
      }),
    ),
    from: DateTime('Start of the time range, inclusive.'),
    to: DateTime('End of the time range, exclusive.'),
    taskId: Type.String({ description: 'Id of the export task in AWS.' }),
    jobId: Type.String({ description: 'Id of the export job.' }),
    slice: Count('Number of the slice in the job: 0, 1, 2, …'),
    attempt: Type.Integer({ minimum: 1, description: 'Number of the attempt of the slice.' }),
    caller: Type.String({ description: 'Id of the caller whose job it is.' }),
    bucket: Type.String({ description: 'Name of the S3 bucket.' }),
    prefix: Type.String({
      description:
        'Key prefix of the objects: the destination prefix, the id of the task, and `/`.',
    }),
    submittedAt: DateTime('When the attempt was recorded, just before the call to AWS.'),
    taskCreatedAt: Type.Optional(DateTime('When AWS created the export task. Absent if unknown.')),
    taskCompletedAt: Type.Optional(
      DateTime('When the export task ended in AWS. Absent if unknown.'),
    ),
    verification: Type.Unsafe<'objects' | 'count'>({
      type: 'string',
      enum: ['objects', 'count'],
      description:
        '`objects`: the objects were listed. `count`: their log events were counted, too, and compared with the log group.',
    }),
    totals: Type.Object(
      {
        objects: Count('Number of objects.'),
        bytes: Count('Size of all objects in bytes.'),
        streams: Count('Number of log streams that have objects.'),
        lines: Type.Optional(Count('Number of lines in all objects. Present with `count`.')),
        records: Type.Optional(
          Count(
            'Number of lines that begin with a timestamp that is in the time range. AWS writes the timestamp of a log event before its first line. A later line of a message can begin with a timestamp, too. Present with `count`.',
          ),
        ),
      },
      { description: 'Totals of the export.' },
    ),
    isEmpty: Type.Boolean({ description: 'Whether the export has no objects.' }),
    emptinessEvidence: Type.Optional(EmptinessEvidence),
    count: Type.Optional(
      Type.Object(
        {
          events: Count(
            'Number of log events that CloudWatch Logs Insights counted in the time range. It does not count those that arrived later than 12 hours before the export began. `totals.records` is at least as high, with one exception. If the export began less than 12 hours after the end of its time range, log events may not have been exportable yet.',
          ),
        },
        { description: 'The log events at AWS. Present with `count`.' },
      ),
    ),
    objects: Type.Optional(
      Type.Array(ManifestObject, {
        description: 'The objects of the export, by key. Absent if `filesKey` is present.',
      }),
    ),
    filesKey: Type.Optional(
      Type.String({
        description:
          'Key of the list of objects, in the same bucket. It is gzip-compressed text with one object in JSON per line. Present for exports of more than 10,000 objects.',
      }),
    ),
    filesSha256: Type.Optional(
      Sha256('SHA-256 of the list of objects as it is stored, in hex. Present with `filesKey`.'),
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'manifest.schema.json',
    title: 'ExportManifest',
    description:
      'The manifest of one verified export: what was exported, and the objects that AWS has written. It is written once, beside the objects.',
  },
);

/** The key of the manifest of an export. */
export const manifestKeyOf = (destinationPrefix: string, taskId: string) =>
  `${manifestPrefixOf(destinationPrefix, taskId)}.json`;

/** The key of the list of objects of a large export. */
export const filesKeyOf = (destinationPrefix: string, taskId: string) =>
  `${manifestPrefixOf(destinationPrefix, taskId)}-files.ndjson.gz`;
