import type { CreateExportTaskRequest } from '@aws-sdk/client-cloudwatch-logs';

/** The status codes of an export task. */
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
 * The prefix a create exports to: its own, or the default of AWS. How AWS treats an empty prefix is not
 * recorded, so an empty one is never sent. Authorization, request and look-up all use this value.
 */
export function effectivePrefix(destinationPrefix: string | undefined): string {
  return destinationPrefix || defaultDestinationPrefix;
}

/** API reference of CreateExportTask: "If you don't specify a value, the default is exportedlogs". */
export const defaultDestinationPrefix = 'exportedlogs';

/**
 * A prefix in the form in which prefixes are compared. AWS appends a slash to a prefix, and may show it
 * without its trailing slashes.
 */
export function withoutEndingSlashes(prefix: string): string {
  // Not a regular expression: one for trailing slashes would take quadratic time.
  let end = prefix.length;
  while (prefix[end - 1] === '/') end -= 1;
  return prefix.slice(0, end);
}

/** The parameters of DescribeExportTasks. */
export interface DescribeExportTasks {
  taskId?: string;
  statusCode?: ExportTaskStatusCode;
  nextToken?: string;
  limit?: number;
}

/** An export task as AWS describes it. Any member may be absent; AWS never shows logStreamNamePrefix. */
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

/** A page of DescribeExportTasks. */
export interface ExportTaskPage {
  exportTasks: AwsExportTask[];
  nextToken?: string;
  awsRequestId: string | undefined;
  /** When AWS answered, by its own clock, in epoch ms to the second (its `Date` header). */
  answeredAt: number | undefined;
  /** The age of a shared answer, in whole seconds; 0 for a new one. */
  ageSeconds: number;
}

/** The answer to CancelExportTask. It does not contain the task. */
export interface CancelAnswer {
  awsRequestId: string | undefined;
}

/** Whether a task holds the slot of its account and Region. */
export function isActive(task: AwsExportTask): boolean {
  const code = task.status?.code;
  return code === 'RUNNING' || code === 'PENDING' || code === 'PENDING_CANCEL';
}

/** The parameters of DescribeLogGroups. A page has at most 50 log groups. */
export interface DescribeLogGroups {
  logGroupNamePrefix?: string;
  nextToken?: string;
  limit?: number;
}

/** A page of log groups, ordered by name. `storedBytes` is absent where AWS leaves it out. */
export interface LogGroupPage {
  logGroups: { logGroupName: string; storedBytes?: number }[];
  nextToken?: string;
  awsRequestId?: string | undefined;
}
