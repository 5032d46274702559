import { type Static, Type } from '@sinclair/typebox';

import type { VerificationRow } from '#database/rows/verification-row.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { readEvidence } from '../store/verifications/findings.ts';
import { EmptinessEvidence } from './manifest/manifest.ts';

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Bytes = (description: string) => Type.Integer({ minimum: 0, format: 'int64', description });
const ProblemName = (description: string) => Type.String({ description });

/** The totals of the verified exports of a job. */
export type VerifiedTotals = Static<typeof VerifiedTotals>;
export const VerifiedTotals = Type.Object(
  {
    slices: Count('Number of completed slices whose objects were listed.'),
    emptySlices: Count('Number of these slices that have no objects.'),
    skippedSlices: Count(
      'Number of completed slices that were not verified, because the service role may not list the bucket.',
    ),
    unprovenSlices: Count(
      'Number of empty slices for which log events in the log group are still possible. The service could not search for log events, or 100 pages of FilterLogEvents were not enough. Or the export began before all log events of its time range were exportable.',
    ),
    uncountedSlices: Count(
      'Number of completed slices whose log events were not counted, although `verification` is `count`. Skipped slices are not among them.',
    ),
    objects: Count('Number of objects.'),
    bytes: Bytes('Size of all objects in bytes.'),
    streams: Count('Number of log streams with objects, added up over the slices.'),
  },
  {
    title: 'VerifiedTotals',
    description: 'Totals of the verified exports. Absent if `verification` is `off`.',
  },
);

/** The verification of a slice, as callers see it. */
export type SliceVerification = Static<typeof SliceVerification>;
export const SliceVerification = Type.Object(
  {
    method: Type.Unsafe<'objects' | 'count' | 'skipped'>({
      title: 'VerificationMethod',
      type: 'string',
      enum: ['objects', 'count', 'skipped'],
      description:
        'Method of the verification. `objects`: the objects were listed. `count`: their log events were counted, too, and compared with the log group. `skipped`: nothing was compared, because the service role may not list the bucket. It needs `s3:ListBucket`.',
    }),
    endedAt: DateTime('When the verification ended.'),
    objects: Type.Optional(Count('Number of objects. Absent if `method` is `skipped`.')),
    bytes: Type.Optional(Bytes('Size of all objects in bytes. Absent if `method` is `skipped`.')),
    streams: Type.Optional(
      Count('Number of log streams with objects. Absent if `method` is `skipped`.'),
    ),
    lines: Type.Optional(Count('Number of lines in the objects. Present if `method` is `count`.')),
    records: Type.Optional(
      Count(
        'Number of lines that begin with a timestamp that is in the time range. AWS writes the timestamp of a log event before its first line. If a later line of a message also begins with a timestamp, it counts, too. So `records` can be more than `events`. Present if `method` is `count`.',
      ),
    ),
    events: Type.Optional(
      Count(
        'Number of log events that CloudWatch Logs Insights counted in the time range. It does not count those that arrived later than 12 hours before the export began: they may not have been exportable. Present if `method` is `count`.',
      ),
    ),
    isEmpty: Type.Optional(
      Type.Boolean({
        description: 'Whether the export has no objects. Absent if `method` is `skipped`.',
      }),
    ),
    emptinessEvidence: Type.Optional(EmptinessEvidence),
    countProblem: Type.Optional(
      ProblemName(
        'Name of the problem that prevented the count. Present if `count` was requested and not possible.',
      ),
    ),
    deniedActions: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'Actions that AWS denied to the service role during the count or the search for log events. Absent if there are none.',
      }),
    ),
    manifest: Type.Optional(
      Type.Object(
        {
          key: Type.String({ description: 'Key of the manifest in the destination bucket.' }),
          sha256: Type.String({ description: 'SHA-256 of the manifest, in hex.' }),
        },
        {
          title: 'ManifestPlace',
          description:
            'The manifest of the export: a JSON file in the bucket that lists the objects. Absent if none was written.',
        },
      ),
    ),
    manifestProblem: Type.Optional(
      ProblemName(
        'Name of the problem that prevented the manifest. Absent if there is a manifest.',
      ),
    ),
  },
  {
    title: 'SliceVerification',
    description:
      'The verification of the export. Present if the slice is `completed` and its job has a `verification` other than `off`. A slice that an earlier version of the service completed has none.',
  },
);

/** Shows the verification of a completed slice. */
export function showVerification(row: VerifiedRow): SliceVerification {
  const { objects, bytes, streams, lines, records, events, manifestKey, manifestSha256 } = row;
  const { emptiness, countProblem, deniedActions, manifestProblem } = readEvidence(row);
  return {
    method: row.method as SliceVerification['method'],
    endedAt: toDateTime(row.endedAt),
    ...(objects !== null && { objects }),
    ...(bytes !== null && { bytes }),
    ...(streams !== null && { streams }),
    ...(lines !== null && { lines }),
    ...(records !== null && { records }),
    ...(events !== null && { events }),
    ...(row.isEmpty !== null && { isEmpty: row.isEmpty === 1 }),
    ...(emptiness && { emptinessEvidence: emptiness }),
    ...(countProblem !== undefined && { countProblem }),
    ...(deniedActions && { deniedActions }),
    ...(manifestKey !== null &&
      manifestSha256 !== null && { manifest: { key: manifestKey, sha256: manifestSha256 } }),
    ...(manifestProblem !== undefined && { manifestProblem }),
  };
}

/** A verification that ended with a completed slice. */
export type VerifiedRow = Omit<
  VerificationRow,
  'caller' | 'looks' | 'queries' | 'leasedUntil' | 'endedAt'
> & {
  endedAt: number;
};
