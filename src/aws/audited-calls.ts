import { type AwsCallRecord, gatewayItself } from '#audit/audit.ts';
import type { Problem } from '#problems/problem.ts';
import type { CallOptions, CloudWatchLogs } from './cloudwatch-logs.ts';
import type { CreateOutcome } from './create-outcome.ts';

/** Writes a call to AWS into the audit; of which target, it knows. */
export type RecordCall = (call: Omit<AwsCallRecord, 'target'>) => void;

/** Who asked for what. */
type CallFacts = Omit<AwsCallRecord, 'target' | 'service' | 'outcome'>;

/** What became of a call. */
type Ending = Pick<AwsCallRecord, 'outcome' | 'awsRequestId' | 'taskId'>;

/**
 * Puts the audit in front of CloudWatch Logs: one line for each call, whatever becomes of it. It
 * belongs below what shares reads: a shared one is one call.
 */
export function auditCalls(logs: CloudWatchLogs, record: RecordCall): CloudWatchLogs {
  const write = (facts: CallFacts, ending: Ending) =>
    record({ service: 'logs', ...facts, ...ending });

  async function recorded<Answer extends { awsRequestId?: string | undefined }>(
    facts: CallFacts,
    call: Promise<Answer>,
  ): Promise<Answer> {
    try {
      const answer = await call;
      write(facts, { outcome: 'ok', awsRequestId: answer.awsRequestId });
      return answer;
    } catch (error) {
      write(facts, endingOf(error as Problem));
      throw error;
    }
  }

  return {
    ...logs,

    async createExportTask(task, how) {
      const result = await logs.createExportTask(task, how);
      const { logGroupName, destination, destinationPrefix, taskName } = task;
      const facts = { logGroupName, destination, destinationPrefix, taskName };
      const operation = 'CreateExportTask';
      write({ principal: principalOf(how), operation, ...facts }, endingOfCreate(result));
      return result;
    },

    describeExportTasks(query, how) {
      const operation = 'DescribeExportTasks';
      const facts = { principal: principalOf(how), operation, taskId: query.taskId };
      return recorded(facts, logs.describeExportTasks(query, how));
    },

    cancelExportTask(taskId, how) {
      const facts = { principal: principalOf(how), operation: 'CancelExportTask', taskId };
      return recorded(facts, logs.cancelExportTask(taskId, how));
    },

    describeLogGroups(query, how) {
      const facts = { principal: principalOf(how), operation: 'DescribeLogGroups' };
      return recorded(facts, logs.describeLogGroups(query, how));
    },
  };
}

function principalOf({ caller = gatewayItself }: CallOptions = {}): string {
  return caller;
}

function endingOf({ slug, members }: Problem): Ending {
  return { outcome: members.awsErrorCode ?? slug, awsRequestId: members.awsRequestId };
}

function endingOfCreate(result: CreateOutcome): Ending {
  switch (result.outcome) {
    case 'accepted':
      return { outcome: 'ok', taskId: result.taskId, awsRequestId: result.awsRequestId };
    case 'not-sent':
      return { outcome: 'not-sent' };
    case 'refused':
      return endingOf(result.problem);
    case 'unknown':
      return result.answer ? endingOf(result.answer) : { outcome: 'outcome-unknown' };
  }
}

/** Makes a call to STS with one line in the audit, whatever becomes of it. */
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
