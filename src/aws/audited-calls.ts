import { type AwsCallRecord, gatewayItself } from '#audit/audit.ts';
import type { Problem } from '#problems/problem.ts';
import type { CallOptions } from './call-options.ts';
import type { CloudWatchLogs } from './cloudwatch-logs.ts';
import type { CreateOutcome } from './create-outcome.ts';

/** Writes a call to AWS into the audit. It adds the target. */
export type RecordCall = (call: Omit<AwsCallRecord, 'target'>) => void;

/** The principal, the operation and its resources. */
type CallFacts = Omit<AwsCallRecord, 'target' | 'service' | 'outcome'>;

/** The result of a call. */
type Result = Pick<AwsCallRecord, 'outcome' | 'awsRequestId' | 'taskId'>;

/**
 * Wraps CloudWatch Logs so that each call writes one audit entry, whether it succeeds or fails. It
 * belongs below `shareReads`: a shared read is one call.
 */
export function auditCalls(logs: CloudWatchLogs, record: RecordCall): CloudWatchLogs {
  const write = (facts: CallFacts, result: Result) =>
    record({ service: 'logs', ...facts, ...result });

  async function recorded<Answer extends { awsRequestId?: string | undefined }>(
    facts: CallFacts,
    call: Promise<Answer>,
  ): Promise<Answer> {
    try {
      const answer = await call;
      write(facts, { outcome: 'ok', awsRequestId: answer.awsRequestId });
      return answer;
    } catch (error) {
      write(facts, resultOfProblem(error as Problem));
      throw error;
    }
  }

  return {
    ...logs,

    async createExportTask(task, options) {
      const outcome = await logs.createExportTask(task, options);
      const { logGroupName, destination, destinationPrefix, taskName } = task;
      const facts = { logGroupName, destination, destinationPrefix, taskName };
      const operation = 'CreateExportTask';
      write({ principal: principalOf(options), operation, ...facts }, resultOfCreate(outcome));
      return outcome;
    },

    describeExportTasks(query, options) {
      const operation = 'DescribeExportTasks';
      const facts = { principal: principalOf(options), operation, taskId: query.taskId };
      return recorded(facts, logs.describeExportTasks(query, options));
    },

    cancelExportTask(taskId, options) {
      const facts = { principal: principalOf(options), operation: 'CancelExportTask', taskId };
      return recorded(facts, logs.cancelExportTask(taskId, options));
    },

    describeLogGroups(query, options) {
      const facts = { principal: principalOf(options), operation: 'DescribeLogGroups' };
      return recorded(facts, logs.describeLogGroups(query, options));
    },

    filterLogEvents(query, options) {
      const { logGroupName } = query;
      const operation = 'FilterLogEvents';
      const facts = { principal: principalOf(options), operation, logGroupName };
      return recorded(facts, logs.filterLogEvents(query, options));
    },

    startQuery(query, options) {
      const { logGroupName } = query;
      const facts = { principal: principalOf(options), operation: 'StartQuery', logGroupName };
      return recorded(facts, logs.startQuery(query, options));
    },

    readQuery(queryId, options) {
      const facts = { principal: principalOf(options), operation: 'GetQueryResults' };
      return recorded(facts, logs.readQuery(queryId, options));
    },
  };
}

function principalOf({ caller = gatewayItself }: CallOptions = {}): string {
  return caller;
}

/** What the audit says of a call that failed. */
export function resultOfProblem({ slug, members }: Problem): Result {
  return { outcome: members.awsErrorCode ?? slug, awsRequestId: members.awsRequestId };
}

function resultOfCreate(create: CreateOutcome): Result {
  switch (create.outcome) {
    case 'accepted':
      return { outcome: 'ok', taskId: create.taskId, awsRequestId: create.awsRequestId };
    case 'not-sent':
      return { outcome: 'not-sent' };
    case 'refused':
      return resultOfProblem(create.problem);
    case 'unknown':
      return create.answer ? resultOfProblem(create.answer) : { outcome: 'outcome-unknown' };
  }
}

/** Makes a call to STS and writes one audit entry, whether it succeeds or fails. */
export async function auditStsCall<Answer extends { $metadata: { requestId?: string } }>(
  record: RecordCall,
  facts: CallFacts,
  call: Promise<Answer>,
): Promise<Answer> {
  const write = (outcome: string, { requestId }: Answer['$metadata'] = {}) =>
    record({ service: 'sts', ...facts, outcome, awsRequestId: requestId });
  try {
    const answer = await call;
    write('ok', answer.$metadata);
    return answer;
  } catch (error) {
    const { name, $metadata } = error as Error & Partial<Answer>;
    write(name, $metadata);
    throw error;
  }
}
