import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Authorizer, TargetIdentity } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { LogGroupName } from '#export-tasks/create-export-task-body.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import { defaultPageLimit, NextCursor, pageParameters, readCursor, toPage } from '#paging/page.ts';
import { awsLimits, inWords } from '#problems/limits.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { dayMs } from '#time/durations.ts';
import type { Window } from '#time/window.ts';
import { Instant } from '#validation/instant.ts';
import { invalidRequest } from '#validation/violations.ts';
import { CoveringExport, showEntry } from '../coverage-view.ts';
import { readQueryWindow } from '../reads/query-window.ts';
import {
  type CoveragePosition,
  findSuperseded,
  readCoveredParts,
  readEntries,
} from '../reads/read-coverage.ts';

/** What the coverage of a log group needs. */
export interface FindCoverageOptions {
  database: Database;
  authorizer: Authorizer;
  targets: Targets;
  /** @throws the Problem of a target whose account is not known */
  findTarget: (name: string | undefined) => TargetIdentity;
}

// Fewer: a year takes more than one request. More: one request reads tens of thousands of exports by the hour.
const maxDays = 366;

// Fewer: a time range with some gaps is cut. More: an answer has megabytes if each other hour is missing.
const maxParts = 100;

const Query = Type.Object(
  {
    target: Type.Optional(TargetName),
    logGroupName: {
      ...LogGroupName,
      description: 'Name of the log group.',
      examples: ['/demo/checkout'],
    },
    from: Instant({
      description:
        'Start of the time range, inclusive. Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset.',
      examples: ['2024-05-01T00:00:00Z'],
    }),
    to: Instant({
      description: `End of the time range, exclusive, in the same formats as \`from\`. At most ${maxDays} days after \`from\`.`,
      examples: ['2024-05-01T01:00:00Z'],
    }),
    ...pageParameters,
  },
  { additionalProperties: false },
);

const CoveredPart = Type.Object(
  { from: DateTime('Start, inclusive.'), to: DateTime('End, exclusive.') },
  { title: 'CoveredTimeRange', description: 'A time range that is covered without a gap.' },
);

const example = {
  isCovered: true,
  covered: [{ from: '2024-05-01T00:00:00.000Z', to: '2024-05-01T01:00:00.000Z' }],
  exports: [
    {
      from: '2024-05-01T00:00:00.000Z',
      to: '2024-05-02T00:00:00.000Z',
      target: 'default',
      destination: 'demo-log-archive',
      prefix: 'checkout/2024/05/01/r1/3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
      taskId: '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
      method: 'objects' as const,
      isEmpty: false,
      objects: 12,
      bytes: 48_213,
      manifest: {
        key: 'checkout/2024/05/01/r1/_manifest-3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11.json',
        sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      },
      exportedAt: '2024-05-02T12:00:03.000Z',
      verifiedAt: '2024-05-02T12:01:41.000Z',
      jobId: '0b0e6a1e-4a55-4c3f-9c41-5f1f4f0d2a77',
      archiveId: '6d1f8f0e-93a4-4b58-8d0c-2f6a4f6f1c20',
      revision: 1,
      isSuperseded: false,
    },
  ],
};

/** Finds the verified exports of a time range of a log group, of all jobs and archives. */
export const findCoverage: FastifyPluginAsyncTypebox<FindCoverageOptions> = async (
  app,
  { database, authorizer, targets, findTarget },
) => {
  app.route({
    method: 'GET',
    url: '/coverage',
    schema: {
      operationId: 'findCoverage',
      tags: ['coverage'],
      summary: 'Find the exports of a time range',
      description: `Returns the verified exports that cover a time range of a log group. It also returns whether they cover all of it. The exports are of all export jobs and archives in the account and Region of the target. The policies must permit \`ReadCoverage\` for the log group. Coverage has the exports that were verified with the method \`objects\` or \`count\`. It omits exports with \`logStreamNamePrefix\`, because they have only some log streams. It also omits exports that began less than ${inWords(awsLimits.settlingMs)} after the end of their time range. It also omits exports without objects if nothing proves that their time range has no log events. Coverage of an archive omits time that had expired before the export was sent. The service does not know the retention for other jobs: their coverage has such time. Coverage stays when a job is deleted. The service does not know what was deleted in S3 after the verification.`,
      querystring: Query,
      response: {
        200: Type.Object(
          {
            isCovered: Type.Boolean({
              description: 'Whether exports cover the whole time range, without a gap.',
            }),
            covered: Type.Array(CoveredPart, {
              description: `The parts of the time range that exports cover, the oldest first. At most ${maxParts} parts. To get the rest, ask again with a later \`from\`.`,
            }),
            exports: Type.Array(CoveringExport, {
              description: 'The exports of this page, in the order of their start.',
            }),
            nextCursor: NextCursor,
          },
          {
            title: 'Coverage',
            description: 'The verified exports of a time range of a log group.',
            examples: [example],
          },
        ),
      },
    },
    config: {
      action: 'ReadCoverage',
      problems: [
        'not-permitted',
        'target-not-found',
        'target-misconfigured',
        'service-role-unusable',
        'aws-unavailable',
        'database-unavailable',
      ],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const {
        target: name,
        logGroupName,
        limit = defaultPageLimit,
        cursor,
        ...times
      } = request.query;
      const window = readBoundedWindow(times);
      const after = readPosition(cursor);
      const asked = { target: identityNamed(targets, name), logGroupName };
      authorizer.require(request, { action: 'ReadCoverage', resource: asked });
      const { accountId, region } = findTarget(name);
      const logGroup = { accountId, region, logGroupName };

      const { queries } = database;
      const parts = await readCoveredParts(queries, logGroup, window, maxParts);
      const rows = await readEntries(queries, logGroup, window, { after, limit: limit + 1 });
      const { entries, ...page } = toPage(rows, limit, (row) => [row.fromAt, row.jobId, row.slice]);
      const superseded = await findSuperseded(queries, logGroup, entries);

      const [first] = parts;
      return {
        isCovered: first?.fromAt === window.fromAt && first.toAt === window.toAt,
        covered: parts.map((part) => ({
          from: toDateTime(part.fromAt),
          to: toDateTime(part.toAt),
        })),
        exports: entries.map((entry) => showEntry(entry, superseded.has(entry))),
        ...page,
      };
    },
  });
};

/** @throws Problem invalid-request */
function readPosition(cursor: string | undefined): CoveragePosition | undefined {
  const [fromAt, jobId, slice] = readCursor(cursor, ['number', 'string', 'ordinal']) ?? [];
  if (fromAt === undefined || jobId === undefined || slice === undefined) return undefined;
  return { fromAt, jobId, slice };
}

/** @throws Problem invalid-request */
function readBoundedWindow(times: { from: Instant; to: Instant }): Window {
  const window = readQueryWindow(times);
  if (window.toAt - window.fromAt <= maxDays * dayMs) return window;
  const latest = toDateTime(window.fromAt + maxDays * dayMs);
  const detail = `must be at most ${maxDays} days after from; the latest value is ${latest}`;
  throw invalidRequest([{ in: 'query', pointer: '#/to', detail }]);
}
