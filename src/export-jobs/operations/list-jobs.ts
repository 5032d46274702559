import { type Static, Type } from '@sinclair/typebox';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { readPermittedPage } from '#auth/authorization/permitted-page.ts';
import type { Database } from '#database/database.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import { defaultPageLimit, type Page, pageParameters, readCursor } from '#paging/page.ts';
import { Text } from '#validation/text.ts';
import type { JobAccess } from '../access/job-access.ts';
import { type ExportJob, JobStateName } from '../export-job.ts';
import { showJob } from '../presenters/show-job.ts';
import type { JobCache } from '../store/reads/job-cache.ts';
import { type JobHead, readHeadPart } from '../store/reads/read-heads.ts';

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
          'Id of a caller: return the jobs of this caller that you may see. `caller` of a job has such an id. `*` means all callers. Default: you, so that the list has your own jobs. With `archiveId`, the default is `*`.',
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
    archiveId: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 64,
        rule: 'text of 1 to 64 characters',
        description:
          'Id of an archive: return only the jobs of this archive. Default: only jobs that belong to no archive.',
      }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
);

/** Lists export jobs, the newest first: the caller's own, or those of others that it may read. */
export type ListJobs = (request: CallerRequest, query: JobListQuery) => Promise<Page<ExportJob>>;

/** Makes `ListJobs`. `basePath` is the public path prefix of all links. */
export function makeListJobs(options: {
  database: Database;
  access: JobAccess;
  jobCache: JobCache;
  basePath: string;
}): ListJobs {
  const { database, access, jobCache, basePath } = options;
  return async (request, { limit = defaultPageLimit, cursor, ...others }) => {
    const { caller = others.archiveId === undefined ? request.principal.id : '*' } = others;
    const filter = { ...others, caller: caller === '*' ? undefined : caller };
    const [at, id] = readCursor(cursor, ['number', 'string']) ?? [];

    const { entries, ...page } = await readPermittedPage<JobHead>({
      limit,
      after: at === undefined || id === undefined ? undefined : { at, id },
      readPart: (after, rows) => readHeadPart(database, { ...filter, after, limit: rows }),
      evaluate: (heads) => access.evaluate(request, heads),
      cursorOf: (head) => ({ at: head.acceptedAt, id: head.id }),
    });
    const read = await jobCache.read(entries);

    return { entries: read.map((snapshot) => showJob(snapshot, basePath)), ...page };
  };
}
