import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { readPermittedPage } from '#auth/authorization/permitted-page.ts';
import type { Database } from '#database/database.ts';
import type { JobAccess } from '#export-jobs/access/job-access.ts';
import type { JobHead } from '#export-jobs/store/reads/read-heads.ts';
import { readTaskHeads, readTasks, type TaskStatus } from '#export-jobs/store/tasks/read-tasks.ts';
import { Problem } from '#problems/problem.ts';
import { findTask } from './find-task.ts';
import { readNextToken, writeNextToken } from './next-token.ts';
import { type ShownTask, showTask } from './show-task.ts';

/** The parameters of DescribeExportTasks. */
interface DescribeTasksQuery {
  taskId?: string;
  statusCode?: TaskStatus;
  nextToken?: string;
  limit?: number;
}

/** The answer to DescribeExportTasks. */
interface TaskPage {
  exportTasks: ShownTask[];
  nextToken?: string;
}

/** Describes one task, or a page of the tasks that the caller has created at a target, the newest first. */
export type DescribeTasks = (
  request: CallerRequest,
  target: string,
  query: DescribeTasksQuery,
) => Promise<TaskPage>;

// As at AWS.
const defaultLimit = 50;

/** Makes `DescribeTasks`. It calls nothing of AWS. */
export function makeDescribeTasks(options: {
  database: Database;
  access: JobAccess;
  /** Epoch ms. */
  now: () => number;
}): DescribeTasks {
  const { database, access, now } = options;

  async function describeOne(
    request: CallerRequest,
    target: string,
    { taskId = '', statusCode }: DescribeTasksQuery,
  ): Promise<TaskPage> {
    const wanted = { action: 'ReadExportJob', target, taskId } as const;
    const found = await findTask(options, request, wanted).catch((problem) => {
      if (problem instanceof Problem && notThereSlugs.has(problem.slug)) return undefined;
      throw problem;
    });
    const isOfPage = found && (statusCode === undefined || found.task.status === statusCode);
    return { exportTasks: isOfPage ? [showTask(found.task)] : [] };
  }

  return async (request, target, query) => {
    const { taskId, statusCode, nextToken, limit = defaultLimit } = query;
    const after = nextToken === undefined ? undefined : readNextToken(nextToken, now());
    if (taskId !== undefined) return describeOne(request, target, query);
    const { entries, nextCursor } = await readPermittedPage<JobHead>({
      limit,
      after,
      readPart: (position, rows) =>
        readTaskHeads(database, {
          target,
          caller: request.principal.id,
          status: statusCode,
          after: position,
          limit: rows,
        }),
      evaluate: (heads) => access.evaluate(request, heads),
      cursorOf: (head) => ({ at: head.acceptedAt, id: head.id }),
    });
    const ids = entries.map(({ id }) => id);
    const tasks = await readTasks(database, database.queries, ids);
    return {
      exportTasks: ids.flatMap((id) => tasks.get(id) ?? []).map(showTask),
      ...(nextCursor !== undefined && { nextToken: writeNextToken(nextCursor, now()) }),
    };
  };
}

/** AWS answers an unknown id with an empty list. */
const notThereSlugs = new Set<string>(['export-job-not-found', 'export-job-deleted']);
