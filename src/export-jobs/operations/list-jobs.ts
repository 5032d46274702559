import { type Static, Type } from '@sinclair/typebox';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import {
  defaultPageLimit,
  maxDecisionsPerPage,
  type Page,
  pageParameters,
  readCursor,
  toCursor,
  toPage,
} from '#paging/page.ts';
import { Text } from '#validation/text.ts';
import type { JobAccess } from '../access/job-access.ts';
import { type ExportJob, JobStateName } from '../export-job.ts';
import { showJob } from '../presenters/show-job.ts';
import type { JobCache } from '../store/reads/job-cache.ts';
import {
  type JobCursor,
  type JobFilter,
  type JobHead,
  readHeadPage,
} from '../store/reads/read-heads.ts';

/** The filter of a list of jobs, and its page. */
export type JobListQuery = Static<typeof JobListQuery>;
export const JobListQuery = Type.Object(
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

/** Lists export jobs, the newest first: the caller's own, or those of others that it may read. */
export type ListJobs = (request: CallerRequest, query: JobListQuery) => Promise<Page<ExportJob>>;

// For each query after the first. Fewer: more queries. More: rows are read that no decision needs.
const rowsPerQuery = 100;

/** Makes `ListJobs`. `basePath` is the public path prefix of all links. */
export function makeListJobs(options: {
  database: Database;
  access: JobAccess;
  jobCache: JobCache;
  basePath: string;
}): ListJobs {
  const { database, access, jobCache, basePath } = options;

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

  return async (request, { limit = defaultPageLimit, cursor, ...filter }) => {
    const { caller = request.principal.id } = filter;
    const [acceptedAt, id] = readCursor(cursor, ['number', 'string']) ?? [];

    const { entries, ...page } = await readPage(request, limit, {
      ...filter,
      caller: caller === '*' ? undefined : caller,
      ...(acceptedAt !== undefined && id !== undefined && { after: { acceptedAt, id } }),
    });
    const read = await jobCache.read(entries);

    return { entries: read.map((snapshot) => showJob(snapshot, basePath)), ...page };
  };
}

/**
 * Makes a cursor after a hidden job. It has only as much of the id as separates the job from its
 * neighbours.
 */
function cursorAfter({ acceptedAt, id }: JobCursor): string {
  return toCursor([acceptedAt, id.slice(0, 8)]);
}
