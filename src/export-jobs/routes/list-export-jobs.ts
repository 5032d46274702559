import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Database } from '#database/database.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import { Text } from '#validation/text.ts';
import { ExportJob, exampleJob, JobStateName } from '../export-job.ts';
import { listHeads } from '../job-store/reads.ts';
import type { JobReadings } from '../views/job-readings.ts';
import { showJob } from '../views/job-view.ts';
import {
  defaultPageLimit,
  NextCursor,
  PageCursor,
  PageLimit,
  readCursor,
  toPage,
} from '../views/page.ts';

const Query = Type.Object(
  {
    state: Type.Optional({ ...JobStateName, description: 'Only jobs in this state.' }),
    target: Type.Optional({ ...TargetName, description: 'Only jobs of this target.' }),
    name: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 256,
        rule: 'text of 1 to 256 characters',
        description: 'Only jobs of exactly this name.',
      }),
    ),
    limit: Type.Optional(PageLimit),
    cursor: Type.Optional(PageCursor),
  },
  { additionalProperties: false },
);

/** Lists the caller's export jobs, newest first. */
export const listExportJobs: FastifyPluginAsyncTypebox<{
  database: Database;
  readings: JobReadings;
}> = async (app, { database, readings }) => {
  app.route({
    method: 'GET',
    url: '/export-jobs',
    schema: {
      operationId: 'listExportJobs',
      tags: ['export-jobs'],
      summary: 'List export jobs',
      description:
        'Your export jobs, newest first, each with how far it is. Its place in line is shown by GET /export-jobs/{jobId}.',
      querystring: Query,
      response: {
        200: Type.Object(
          { exportJobs: Type.Array(ExportJob), nextCursor: NextCursor },
          {
            title: 'ExportJobPage',
            description: 'A page of jobs.',
            examples: [{ exportJobs: [exampleJob] }],
          },
        ),
      },
    },
    config: {
      action: 'ReadExportJob',
      problems: ['database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { limit = defaultPageLimit, cursor, ...filter } = request.query;
      const [acceptedAt, id] = readCursor(cursor, ['number', 'string']) ?? [];

      const heads = await listHeads(database, {
        ...filter,
        caller: request.principal.id,
        ...(acceptedAt !== undefined && id !== undefined && { after: { acceptedAt, id } }),
        limit: limit + 1,
      });
      const { entries, ...page } = toPage(heads, limit, (head) => [head.acceptedAt, head.id]);
      const read = await readings.of(entries);

      return { exportJobs: read.map((reading) => showJob(reading)), ...page };
    },
  });
};
