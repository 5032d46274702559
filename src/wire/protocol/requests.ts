import type { TaskParameters } from '#export-jobs/task-parameters.ts';
import { s3KeyMaxBytes } from '#export-tasks/create-export-task-body.ts';
import { integer, long, required, text, texts, truth } from './json/kinds.ts';
import { type Read, readMembers } from './json/members.ts';

const maxName = 512;
const nameLength = [1, maxName] as const;
const anyLength = [0, Number.MAX_SAFE_INTEGER] as const;
const logGroupName = { length: nameLength, pattern: String.raw`[\.\-_/#A-Za-z0-9]+` };
const taskId = text({ length: nameLength });
const nextToken = text({ length: [1, anyLength[1]] });
const pageLimit = integer(1, 50);

const createExportTask = {
  taskName: text({ length: nameLength }),
  logGroupName: required(text(logGroupName)),
  logStreamNamePrefix: text({ length: nameLength, pattern: '[^:*]*' }),
  from: required(long({ minimum: 0n })),
  to: required(long({ minimum: 0n })),
  destination: required(text({ length: nameLength })),
  destinationPrefix: text({ maxBytes: s3KeyMaxBytes }),
};

const describeExportTasks = {
  taskId,
  statusCode: text({
    values: ['CANCELLED', 'COMPLETED', 'FAILED', 'PENDING', 'PENDING_CANCEL', 'RUNNING'],
  }),
  nextToken,
  limit: pageLimit,
};

const cancelExportTask = { taskId: required(taskId) };

const describeLogGroups = {
  accountIdentifiers: texts({ pattern: String.raw`\d{12}` }, [0, 20]),
  logGroupNamePrefix: text(logGroupName),
  logGroupNamePattern: text({ length: [0, maxName], pattern: String.raw`[\.\-_/#A-Za-z0-9]*` }),
  nextToken,
  limit: pageLimit,
  includeLinkedAccounts: truth(),
  logGroupClass: text({ values: ['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY', 'ESSENTIALS'] }),
  logGroupIdentifiers: texts({ length: [1, 2_048], pattern: String.raw`[\w#+=/:,.@-]*` }, [1, 50]),
};

/** Reads the parameters of CreateExportTask. @throws an error of AWS */
export function readCreateExportTask(body: Buffer): TaskParameters {
  return readMembers(body, createExportTask);
}

/** The parameters of DescribeExportTasks. */
export type AskedExportTasks = Read<typeof describeExportTasks>;

/** Reads the parameters of DescribeExportTasks. @throws an error of AWS */
export function readDescribeExportTasks(body: Buffer): AskedExportTasks {
  return readMembers(body, describeExportTasks);
}

/** Reads the parameters of CancelExportTask. @throws an error of AWS */
export function readCancelExportTask(body: Buffer): { taskId: string } {
  return readMembers(body, cancelExportTask);
}

/** The parameters of DescribeLogGroups. */
export type AskedLogGroups = Read<typeof describeLogGroups>;

/** Reads the parameters of DescribeLogGroups. @throws an error of AWS */
export function readDescribeLogGroups(body: Buffer): AskedLogGroups {
  return readMembers(body, describeLogGroups);
}
