import type { CreateExportTaskRequest } from '@aws-sdk/client-cloudwatch-logs';

/** The states of an export task, in AWS's words. */
export const exportTaskStatusCodes = [
  'CANCELLED',
  'COMPLETED',
  'FAILED',
  'PENDING',
  'PENDING_CANCEL',
  'RUNNING',
] as const;
export type ExportTaskStatusCode = (typeof exportTaskStatusCodes)[number];

/**
 * The parameters of CreateExportTask: exactly the members of the SDK's request. `from` and `to` are
 * milliseconds since 1970, both inclusive, and exact. The schema of the HTTP body has the same members.
 */
export type CreateExportTaskInput = {
  [Member in keyof CreateExportTaskRequest]: Member extends 'from' | 'to'
    ? bigint
    : Exclude<CreateExportTaskRequest[Member], undefined>;
};

/**
 * Where a create exports to: below its prefix, or where it names none, below AWS's own. What AWS makes
 * of an empty one nobody has recorded, so none is ever sent. Decisions, requests and look-ups all go
 * by this one value.
 */
export function effectivePrefix(destinationPrefix: string | undefined): string {
  return destinationPrefix || defaultDestinationPrefix;
}

/** API reference of CreateExportTask: "If you don't specify a value, the default is exportedlogs". */
export const defaultDestinationPrefix = 'exportedlogs';

/**
 * A prefix as prefixes are compared: AWS puts a slash behind it, and may show it without the slashes it
 * ended with.
 */
export function withoutEndingSlashes(prefix: string): string {
  // Not a pattern: one that looks for slashes at the end tries at each slash there is.
  let end = prefix.length;
  while (prefix[end - 1] === '/') end -= 1;
  return prefix.slice(0, end);
}

/** What DescribeExportTasks takes. */
export interface DescribeExportTasks {
  taskId?: string;
  statusCode?: ExportTaskStatusCode;
  nextToken?: string;
  limit?: number;
}

/** An export task as AWS describes it: every member may be absent; logStreamNamePrefix always is. */
export interface AwsExportTask {
  taskId?: string;
  taskName?: string;
  logGroupName?: string;
  from?: bigint;
  to?: bigint;
  destination?: string;
  destinationPrefix?: string;
  status?: { code?: ExportTaskStatusCode; message?: string };
  executionInfo?: { creationTime?: number; completionTime?: number };
}

/** One page of an answer to DescribeExportTasks. */
export interface ExportTaskPage {
  exportTasks: AwsExportTask[];
  nextToken?: string;
  awsRequestId: string | undefined;
  /** AWS's own clock when it answered, to the second (its `Date` header). */
  answeredAt: number | undefined;
  /** How long ago AWS answered, in whole seconds: 0, or more for a shared answer. */
  ageSeconds: number;
}

/** The answer to CancelExportTask, which says nothing of the task. */
export interface CancelAnswer {
  awsRequestId: string | undefined;
}

/** Whether a task occupies the one slot AWS has per account and Region. */
export function isActive(task: AwsExportTask): boolean {
  const code = task.status?.code;
  return code === 'RUNNING' || code === 'PENDING' || code === 'PENDING_CANCEL';
}

/** What DescribeLogGroups takes; AWS's pages have at most 50. */
export interface DescribeLogGroups {
  logGroupNamePrefix?: string;
  nextToken?: string;
  limit?: number;
}

/** One page of log groups, by name. `storedBytes` is what a group holds, where AWS says it. */
export interface LogGroupPage {
  logGroups: { logGroupName: string; storedBytes?: number }[];
  nextToken?: string;
  awsRequestId?: string | undefined;
}
