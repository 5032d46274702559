import { isAllowed } from '../iam/policy.ts';
import type { AuthFailure, Caller } from '../sts/sessions.ts';
import { answerErrors, awsError } from '../wire/aws-error.ts';
import { readExactJson, writeExactJson } from '../wire/exact-json.ts';
import type { Answer, Call, Refusal, WireRequest } from '../wire/exchange.ts';
import { writeXml } from '../wire/xml.ts';
import { logGroupArn } from './names.ts';
import type { LogsContext, Operation } from './operation.ts';
import { cancelExportTask } from './operations/export-tasks/cancel-export-task.ts';
import { createExportTask } from './operations/export-tasks/create-export-task.ts';
import { describeExportTasks } from './operations/export-tasks/describe-export-tasks.ts';
import { createLogGroup } from './operations/log-groups/create-log-group.ts';
import { deleteLogGroup } from './operations/log-groups/delete-log-group.ts';
import { deleteRetentionPolicy } from './operations/log-groups/delete-retention-policy.ts';
import { describeLogGroups } from './operations/log-groups/describe-log-groups.ts';
import { listTagsForResource } from './operations/log-groups/list-tags-for-resource.ts';
import { listTagsLogGroup } from './operations/log-groups/list-tags-log-group.ts';
import { putRetentionPolicy } from './operations/log-groups/put-retention-policy.ts';
import { tagResource } from './operations/log-groups/tag-resource.ts';
import { untagResource } from './operations/log-groups/untag-resource.ts';
import { createLogStream } from './operations/log-streams/create-log-stream.ts';
import { deleteLogStream } from './operations/log-streams/delete-log-stream.ts';
import { describeLogStreams } from './operations/log-streams/describe-log-streams.ts';
import { filterLogEvents } from './operations/log-streams/filter-log-events.ts';
import { getLogEvents } from './operations/log-streams/get-log-events.ts';
import { putLogEvents } from './operations/log-streams/put-log-events.ts';
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
    CreateExportTask: createExportTask,
    DescribeExportTasks: describeExportTasks,
    CancelExportTask: cancelExportTask,
  }),
);

const contentType = 'application/x-amz-json-1.1';
const targetPrefix = 'Logs_20140328.';

const invalidToken = awsError(
  'UnrecognizedClientException',
  'The security token included in the request is invalid.',
);

/** CloudWatch Logs answers 400 in every recorded 4xx case, also for wrong credentials. */
const authErrors: Record<AuthFailure, Refusal> = {
  missing: awsError('MissingAuthenticationTokenException', 'Missing Authentication Token'),
  expired: awsError(
    'ExpiredTokenException',
    'The security token included in the request is expired',
  ),
  unknown: invalidToken,
  token: invalidToken,
};

/** The state that calls of CloudWatch Logs use. */
export interface LogsWorld extends Pick<LogsContext, 'buckets' | 'clock' | 'settings'> {
  regions: LogsRegions;
}

/**
 * Reads a request in the protocol awsJson1_1. Order of the checks: content type, target, credentials,
 * quota, JSON, session policy, then those of the operation. The order is partly recorded, partly
 * assumed.
 */
export function readLogsCall(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: LogsWorld,
): Call {
  const target = request.headers['x-amz-target']?.toString() ?? '';
  const name = target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : target;
  const isAwsJson = request.headers['content-type']?.split(';')[0]?.trim() === contentType;
  const input = readInput(request.body);

  return {
    service: 'logs',
    operation: name || 'unknown',
    input: input === undefined ? undefined : summarize(input),
    refuse,
    perform(fault) {
      if (!isAwsJson) return unknownProtocol;
      const operation = target.startsWith(targetPrefix) ? operations.get(name) : undefined;
      return answerErrors(() => {
        if (!operation) throw awsError('UnknownOperationException');
        if (typeof caller === 'string') throw authErrors[caller];
        const logs = world.regions.of(caller);
        logs.admit(name);
        if (input === undefined) throw awsError('SerializationException');
        refuseBySessionPolicy(name, input, caller);
        const { output, effect } = operation(input, { ...world, caller, logs, fault });
        return { ...json(200, output), effect };
      }, refuse);
    },
  };
}

const unknownProtocol: Answer = {
  status: 404,
  headers: { 'content-type': 'application/xml' },
  body: writeXml('UnknownOperationException', undefined),
  errorCode: 'UnknownOperationException',
};

/** Returns undefined for everything except a JSON object or array. */
function readInput(body: Buffer): object | undefined {
  try {
    const input = readExactJson(body.toString());
    return typeof input === 'object' && input !== null ? input : undefined;
  } catch {
    return undefined;
  }
}

/** The input for the journal. A batch of events may take a megabyte, so only its length is kept. */
function summarize(input: object): object {
  if (!('logEvents' in input) || !Array.isArray(input.logEvents)) return input;
  return { ...input, logEvents: input.logEvents.length };
}

/**
 * A session may do only what its session policy allows (documentation). Role policies are not
 * emulated.
 */
function refuseBySessionPolicy(operation: string, input: object, caller: Caller): void {
  if (!caller.sessionPolicy) return;
  const name = 'logGroupName' in input ? String(input.logGroupName) : '';
  const resource = name === '' ? '*' : `${logGroupArn(caller, name)}:*`;
  const action = `logs:${operation}`;
  const question = { principals: 'holder' as const, action, resource, context: {} };
  if (isAllowed(caller.sessionPolicy, question)) return;
  throw awsError(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} because no session policy allows the ${action} action`,
  );
}

function refuse({ status, code, message }: Refusal): Answer {
  return { ...json(status, { __type: code, message: message || undefined }), errorCode: code };
}

function json(status: number, output?: object): Answer {
  const body = output === undefined ? '' : writeExactJson(output);
  return { status, headers: { 'content-type': contentType }, body };
}
