import { denialMessage, findDenial } from '../iam/permissions.ts';
import type { Settings } from '../options/settings.ts';
import type { AuthFailure, Caller } from '../sts/sessions.ts';
import { awsError } from '../wire/aws-error.ts';
import { readJsonCall } from '../wire/aws-json.ts';
import type { Call, WireRequest } from '../wire/exchange.ts';
import { logGroupArn } from './names.ts';
import type { LogsContext, Operation } from './operation.ts';
import { cancelExportTask } from './operations/export-tasks/cancel-export-task.ts';
import { createExportTask } from './operations/export-tasks/create-export-task.ts';
import { describeExportTasks } from './operations/export-tasks/describe-export-tasks.ts';
import { createLogGroup } from './operations/log-groups/create-log-group.ts';
import { deleteLogGroup } from './operations/log-groups/delete-log-group.ts';
import { describeLogGroups } from './operations/log-groups/describe-log-groups.ts';
import { listTagsForResource } from './operations/log-groups/list-tags-for-resource.ts';
import { listTagsLogGroup } from './operations/log-groups/list-tags-log-group.ts';
import { putLogGroupDeletionProtection } from './operations/log-groups/put-log-group-deletion-protection.ts';
import {
  deleteRetentionPolicy,
  putRetentionPolicy,
} from './operations/log-groups/retention-policy.ts';
import { tagResource } from './operations/log-groups/tag-resource.ts';
import { untagResource } from './operations/log-groups/untag-resource.ts';
import { createLogStream } from './operations/log-streams/create-log-stream.ts';
import { deleteLogStream } from './operations/log-streams/delete-log-stream.ts';
import { describeLogStreams } from './operations/log-streams/describe-log-streams.ts';
import { filterLogEvents } from './operations/log-streams/filter-log-events.ts';
import { getLogEvents } from './operations/log-streams/get-log-events.ts';
import { putLogEvents } from './operations/log-streams/put-log-events.ts';
import { getQueryResults } from './operations/queries/get-query-results.ts';
import { startQuery } from './operations/queries/start-query.ts';
import type { LogsRegions } from './regions.ts';

const operations = new Map<string, Operation>(
  Object.entries({
    CreateLogGroup: createLogGroup,
    DeleteLogGroup: deleteLogGroup,
    DescribeLogGroups: describeLogGroups,
    PutRetentionPolicy: putRetentionPolicy,
    DeleteRetentionPolicy: deleteRetentionPolicy,
    TagResource: tagResource,
    UntagResource: untagResource,
    ListTagsForResource: listTagsForResource,
    ListTagsLogGroup: listTagsLogGroup,
    CreateLogStream: createLogStream,
    DeleteLogStream: deleteLogStream,
    DescribeLogStreams: describeLogStreams,
    PutLogEvents: putLogEvents,
    GetLogEvents: getLogEvents,
    FilterLogEvents: filterLogEvents,
    PutLogGroupDeletionProtection: putLogGroupDeletionProtection,
    StartQuery: startQuery,
    GetQueryResults: getQueryResults,
    CreateExportTask: createExportTask,
    DescribeExportTasks: describeExportTasks,
    CancelExportTask: cancelExportTask,
  }),
);

/** The state that calls of CloudWatch Logs use. */
export interface LogsWorld extends Pick<LogsContext, 'buckets' | 'keys' | 'clock' | 'settings'> {
  regions: LogsRegions;
}

/** Reads a request to CloudWatch Logs. */
export function readLogsCall(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: LogsWorld,
): Call {
  return readJsonCall<LogsContext>(request, caller, {
    service: 'logs',
    targetPrefix: 'Logs_20140328.',
    operations,
    summarize,
    admit(name, known, fault) {
      const logs = world.regions.of(known);
      logs.admit(name);
      return { ...world, caller: known, logs, fault };
    },
    authorize: (name, input, known) => refuseDenied(name, input, known, world.settings),
  });
}

/** The input for the journal. A batch of events may take a megabyte, so only its length is kept. */
function summarize(input: object): object {
  if (!('logEvents' in input) || !Array.isArray(input.logEvents)) return input;
  return { ...input, logEvents: input.logEvents.length };
}

/** @throws AccessDeniedException if the policies of the caller do not allow the operation */
function refuseDenied(operation: string, input: object, caller: Caller, settings: Settings): void {
  const name = 'logGroupName' in input ? String(input.logGroupName) : '';
  const resource = name === '' ? '*' : `${logGroupArn(caller, name)}:*`;
  const attempt = { action: `logs:${operation}`, resource };
  const denial = findDenial(attempt, caller, settings);
  if (denial) throw awsError('AccessDeniedException', denialMessage(attempt, caller, denial));
}
