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
