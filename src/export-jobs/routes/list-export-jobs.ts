import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import {
  defaultPageLimit,
  maxDecisionsPerPage,
  NextCursor,
  type Page,
  pageParameters,
  readCursor,
  toCursor,
  toPage,
} from '#paging/page.ts';
import { Text } from '#validation/text.ts';
import type { JobAccess } from '../access/job-access.ts';
import { ExportJob, exampleJob, JobStateName } from '../export-job.ts';
import { showJob } from '../presenters/show-job.ts';
import type { JobCache } from '../store/reads/job-cache.ts';
import {
  type JobCursor,
  type JobFilter,
  type JobHead,
  readHeadPage,
} from '../store/reads/read-heads.ts';

const Query = Type.Object(
  {
    state: Type.Optional({
      ...JobStateName,
      description: 'Return only jobs in this state. Default: all states.',
    }),
    caller: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 1_024,
        rule: 'the id of a caller, 1 to 1024 characters, or *',
        description:
          'Id of a caller, `<issuer>#<subject>` or `anonymous`: return the jobs of this caller that you may see. Default: you, so that the list has your own jobs. `*` means all callers.',
      }),
    ),
    target: Type.Optional({
      ...TargetName,
      description: 'Return only jobs of this target. Default: all targets.',
    }),
    name: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 256,
        rule: 'text of 1 to 256 characters',
        description: 'Return only jobs with exactly this name. Default: all names.',
      }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
);

// For each query after the first. Fewer: more queries. More: rows are read that no decision needs.
const rowsPerQuery = 100;

/** Lists export jobs, the newest first: the caller's own, or those of others that it may read. */
export const listExportJobs: FastifyPluginAsyncTypebox<{
  database: Database;
  access: JobAccess;
  jobCache: JobCache;
}> = async (app, { database, access, jobCache }) => {
  app.route({
    method: 'GET',
    url: '/export-jobs',
    schema: {
      operationId: 'listExportJobs',
      tags: ['export-jobs'],
      summary: 'List export jobs',
      description:
        'Returns your export jobs, newest first, each with its progress. With `caller`, it returns the jobs of that caller, or of all callers (`*`). The list omits jobs that you may not see. So a page can be short or empty and still have a `nextCursor`. The position in the queue is not in this list. GET /export-jobs/{jobId} has it.',
      querystring: Query,
      response: {
        200: Type.Object(
          {
            exportJobs: Type.Array(ExportJob, { description: 'The jobs of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'ExportJobPage',
            description: 'A page of export jobs.',
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
      const { caller = request.principal.id } = filter;
      const [acceptedAt, id] = readCursor(cursor, ['number', 'string']) ?? [];

      const { entries, ...page } = await readPage(request, limit, {
        ...filter,
        caller: caller === '*' ? undefined : caller,
        ...(acceptedAt !== undefined && id !== undefined && { after: { acceptedAt, id } }),
      });
      const read = await jobCache.read(entries);

      const exportJobs = read.map((reading) => showJob(reading, request.basePath));
      return { exportJobs, ...page };
    },
  });

  /** Reads jobs in their order until the page is full of jobs that the caller may read. */
  async function readPage(
    request: CallerRequest,
    limit: number,
    filter: Omit<JobFilter, 'limit'>,
  ): Promise<Page<JobHead>> {
    const readable: JobHead[] = [];
    let { after } = filter;
    let decisions = 0;
    // Mostly the caller may read all of a page. One more row shows whether there is another page.
    for (let rows = limit + 1; ; rows = rowsPerQuery) {
      const heads = await readHeadPage(database, { ...filter, after, limit: rows });
      for await (const evaluated of access.evaluate(request, heads)) {
        decisions += evaluated.decisions;
        after = evaluated.head;
        if (evaluated.isPermitted) readable.push(evaluated.head);
        if (readable.length > limit)
          return toPage(readable, limit, ({ acceptedAt, id }) => [acceptedAt, id]);
        if (decisions >= maxDecisionsPerPage)
          return { entries: readable, nextCursor: cursorAfter(after) };
      }
      if (heads.length < rows) return { entries: readable };
    }
  }
};

/**
 * Makes a cursor after a hidden job. It has only as much of the id as separates the job from its
 * neighbours.
 */
function cursorAfter({ acceptedAt, id }: JobCursor): string {
  return toCursor([acceptedAt, id.slice(0, 8)]);
}
