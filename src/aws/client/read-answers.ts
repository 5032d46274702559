import type { AwsExportTask, ExportTaskPage } from '../export-task.ts';
import type { LogGroup, LogGroupPage } from '../log-groups/describe-log-groups.ts';
import type { EventPage, QueryResults, StartedQuery } from '../log-groups/event-reads.ts';
import { unexpectedAnswer } from './unexpected-answer.ts';

/** An answer of the SDK whose members have not been checked yet. */
interface Answer {
  $metadata: { requestId?: string | undefined; answeredAt?: number };
}

/**
 * Reads a page of export tasks. An answer without a list, or with a member of a wrong type, is an
 * error: otherwise a caller could conclude from it that a task does not exist.
 * @throws an error named UnexpectedAnswer
 */
export function readExportTaskPage(answer: Answer): ExportTaskPage {
  const read = makeReader(answer);
  const exportTasks = read.list(answer, 'exportTasks').map((task): AwsExportTask => {
    const status = read.object(task, 'status');
    const times = read.object(task, 'executionInfo');
    return withoutAbsent({
      taskId: read.text(task, 'taskId'),
      taskName: read.text(task, 'taskName'),
      logGroupName: read.text(task, 'logGroupName'),
      from: read.int64(task, 'from'),
      to: read.int64(task, 'to'),
      destination: read.text(task, 'destination'),
      destinationPrefix: read.text(task, 'destinationPrefix'),
      status:
        status &&
        withoutAbsent({ code: read.text(status, 'code'), message: read.text(status, 'message') }),
      executionInfo:
        times &&
        withoutAbsent({
          creationTime: read.instant(times, 'creationTime'),
          completionTime: read.instant(times, 'completionTime'),
        }),
    } satisfies Record<keyof AwsExportTask, unknown>) as AwsExportTask; // the status code may be newer than the SDK
  });
  const nextToken = read.text(answer, 'nextToken');
  return {
    exportTasks,
    ...(nextToken !== undefined && { nextToken }),
    awsRequestId: answer.$metadata.requestId,
    answeredAt: answer.$metadata.answeredAt,
    ageSeconds: 0,
  };
}

/** Reads a page of log groups. @throws an error named UnexpectedAnswer */
export function readLogGroupPage(answer: Answer): LogGroupPage {
  const read = makeReader(answer);
  const asSent = read.list(answer, 'logGroups');
  const logGroups = asSent.map(
    (group): LogGroup =>
      withoutAbsent({
        logGroupName: read.text(group, 'logGroupName') ?? read.fail('logGroupName'),
        storedBytes: read.count(group, 'storedBytes'),
        logGroupClass: read.text(group, 'logGroupClass'),
        creationTime: read.instant(group, 'creationTime'),
        retentionInDays: read.count(group, 'retentionInDays'),
        retentionPolicyName: read.text(group, 'retentionPolicyName'),
        isDeletionProtected: read.flag(group, 'deletionProtectionEnabled'),
      } satisfies Record<keyof LogGroup, unknown>) as LogGroup,
  );
  const nextToken = read.text(answer, 'nextToken');
  return {
    logGroups,
    asSent,
    ...(nextToken !== undefined && { nextToken }),
    awsRequestId: answer.$metadata.requestId,
  };
}

/** Reads a page of events. @throws an error named UnexpectedAnswer */
export function readEventPage(answer: Answer): EventPage {
  const read = makeReader(answer);
  const nextToken = read.text(answer, 'nextToken');
  const events = read.list(answer, 'events');
  return {
    events: events.length,
    // An event without the instant of its arrival can have arrived at any time.
    firstArrivedAt: Math.min(...events.map((event) => read.instant(event, 'ingestionTime') ?? 0)),
    ...(nextToken !== undefined && { nextToken }),
    awsRequestId: answer.$metadata.requestId,
  };
}

/** Reads the id of a query. @throws an error named UnexpectedAnswer */
export function readStartedQuery(answer: Answer): StartedQuery {
  const read = makeReader(answer);
  const queryId = read.text(answer, 'queryId') ?? read.fail('queryId');
  return { queryId, awsRequestId: answer.$metadata.requestId };
}

/** Reads the results of a query. A complete one always has them. @throws an error named UnexpectedAnswer */
export function readQueryResults(answer: Answer): QueryResults {
  const read = makeReader(answer);
  const status = read.text(answer, 'status') ?? read.fail('status');
  const results =
    read.lists(answer, 'results') ?? (status === 'Complete' ? read.fail('results') : []);
  const rows = results.map((row) =>
    Object.fromEntries(
      row.map((cell) => [read.text(cell, 'field') ?? '', read.text(cell, 'value') ?? '']),
    ),
  );
  return { status, rows, awsRequestId: answer.$metadata.requestId };
}

const isText = (value: unknown) => typeof value === 'string';
const isFlag = (value: unknown) => typeof value === 'boolean';
const isObject = (value: unknown) => typeof value === 'object' && value !== null;
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
// The range of a Date.
const isInstant = (value: unknown) => isCount(value) && Number(value) <= 8.64e15;
// An integer of 16 digits or more arrives as text: see answer-bodies.ts.
const isInt64 = (value: unknown) =>
  typeof value === 'string' ? /^\d{1,19}$/.test(value) : Number.isSafeInteger(value);

/** Makes readers of members. Absent and null are `undefined`; a value of another type throws. */
function makeReader(answer: Answer) {
  function fail(name: string): never {
    throw unexpectedAnswer(answer, name);
  }
  const member =
    <Value>(isValid: (value: unknown) => boolean) =>
    (holder: object, name: string): Value | undefined => {
      const value = (holder as Record<string, unknown>)[name] ?? undefined;
      return value === undefined || isValid(value) ? (value as Value | undefined) : fail(name);
    };
  const digits = member<number | string>(isInt64);
  return {
    fail,
    text: member<string>(isText),
    object: member<object>(isObject),
    count: member<number>(isCount),
    instant: member<number>(isInstant),
    flag: member<boolean>(isFlag),
    int64(holder: object, name: string): bigint | undefined {
      const value = digits(holder, name);
      return value === undefined ? undefined : BigInt(value);
    },
    list(holder: object, name: string): object[] {
      const list = member<object[]>(Array.isArray)(holder, name) ?? fail(name);
      return list.every(isObject) ? list : fail(name);
    },
    lists(holder: object, name: string): object[][] | undefined {
      const lists = member<object[][]>(Array.isArray)(holder, name);
      return lists?.every((list) => Array.isArray(list) && list.every(isObject)) === false
        ? fail(name)
        : lists;
    },
  };
}

function withoutAbsent<Members extends object>(members: Members): Members {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Members;
}
