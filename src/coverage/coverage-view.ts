import { type Static, Type } from '@sinclair/typebox';

import { DateTime, toDateTime } from '#time/date-time.ts';
import type { CoverageEntry } from './reads/read-coverage.ts';

const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** An export in the coverage of a log group, as callers see it. */
export type CoveringExport = Static<typeof CoveringExport>;
export const CoveringExport = Type.Object(
  {
    from: DateTime(
      'Start of the time range that it covers, inclusive. It is the start of the time range of the export, with two exceptions. If the log group was deleted and created again in that time range, it is the later time of creation. The gateway knows of that if an archive of the account and Region has this log group. For an archive, log events can have expired before the export was sent. Then it is the start of the rest.',
    ),
    to: DateTime('End of the time range of the export, exclusive.'),
    target: Type.String({ description: 'Name of the target that exported it.' }),
    destination: Type.String({ description: 'Name of the S3 bucket.' }),
    prefix: Type.String({
      description: 'Key prefix of the objects: the destination prefix, and the id of the task.',
    }),
    taskId: Type.String({ description: 'Id of the export task in AWS.' }),
    method: Type.Unsafe<'objects' | 'count'>({
      title: 'CoverageMethod',
      type: 'string',
      enum: ['objects', 'count'],
      description:
        'Method of the verification. `objects`: the objects were listed. `count`: their log events were counted, too, and compared with the log group.',
    }),
    isEmpty: Type.Boolean({ description: 'Whether the export has no objects.' }),
    objects: Type.Optional(Count('Number of objects.')),
    bytes: Type.Optional(
      Type.Integer({ minimum: 0, format: 'int64', description: 'Size of all objects in bytes.' }),
    ),
    events: Type.Optional(
      Count(
        'Number of log events that CloudWatch Logs Insights counted in the time range. Present with `count`.',
      ),
    ),
    manifest: Type.Optional(
      Type.Object(
        {
          key: Type.String({ description: 'Key of the manifest in the bucket.' }),
          sha256: Type.String({ description: 'SHA-256 of the manifest, in hex.' }),
        },
        {
          title: 'CoverageManifest',
          description:
            'The manifest of the export: a JSON file in the bucket that lists the objects. Absent if none was written.',
        },
      ),
    ),
    exportedAt: DateTime('When the export was sent to AWS.'),
    verifiedAt: DateTime('When the verification ended.'),
    jobId: Type.String({
      description: 'Id of the export job. The job can have been deleted since.',
    }),
    archiveId: Type.Optional(
      Type.String({ description: 'Id of the archive of the job. Absent if it has none.' }),
    ),
    revision: Type.Integer({
      minimum: 1,
      description:
        'Number of the export of this partition in its archive: 1, 2, 3, … It is 1 if the job belongs to no archive.',
    }),
    isSuperseded: Type.Boolean({
      description:
        'Whether a later export of the same archive covers the whole time range of this export. Then read the later one.',
    }),
  },
  {
    title: 'CoveringExport',
    description: 'A verified export that covers a time range of a log group.',
  },
);

/** Shows an entry of the coverage. */
export function showEntry(entry: CoverageEntry, isSuperseded: boolean): CoveringExport {
  const { target, destination, taskId, jobId, archiveId, revision, method } = entry;
  const { objects, bytes, events, manifestKey, manifestSha256 } = entry;
  return {
    from: toDateTime(entry.coveredFromAt),
    to: toDateTime(entry.toAt),
    target,
    destination,
    prefix: `${entry.destinationPrefix}/${taskId}`,
    taskId,
    method: method === 'count' ? 'count' : 'objects',
    isEmpty: entry.isEmpty === 1,
    ...(objects !== null && { objects }),
    ...(bytes !== null && { bytes }),
    ...(events !== null && { events }),
    ...(manifestKey !== null &&
      manifestSha256 !== null && { manifest: { key: manifestKey, sha256: manifestSha256 } }),
    exportedAt: toDateTime(entry.exportedAt),
    verifiedAt: toDateTime(entry.coveredAt),
    jobId,
    ...(archiveId !== null && { archiveId }),
    revision,
    isSuperseded,
  };
}
