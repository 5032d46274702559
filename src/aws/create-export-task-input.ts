import type { CreateExportTaskRequest } from '@aws-sdk/client-cloudwatch-logs';

/**
 * The parameters of CreateExportTask: exactly the members of the SDK's request. `from` and `to` are
 * milliseconds since 1970, both inclusive, and exact. The schema of the HTTP body has the same members.
 */
export type CreateExportTaskInput = {
  [Member in keyof CreateExportTaskRequest]: Member extends 'from' | 'to'
    ? bigint
    : Exclude<CreateExportTaskRequest[Member], undefined>;
};
