import {
  CancelExportTaskCommand,
  type CloudWatchLogsClient,
  DescribeExportTasksCommand,
  type DescribeExportTasksCommandInput,
  DescribeLogGroupsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Lane } from './call-budget/call-budget.ts';
import type { AttemptListener } from './client/attempts.ts';
import { withDeadline } from './client/deadline.ts';
import { measureCall } from './client/measure-call.ts';
import { readExportTaskPage, readLogGroupPage } from './client/read-answers.ts';
import type { AwsTimeouts } from './client/timeouts.ts';
import { markUnsent } from './client/unsent-calls.ts';
import { type CreateOutcome, classifyAnswer, classifyError } from './create-outcome.ts';
import type { DescribeLogGroups, LogGroupPage } from './describe-log-groups.ts';
import {
  isNotFound,
  isRefusedForCredentials,
  isThrottling,
  type Operation,
  toAwsProblem,
} from './error-meaning.ts';
import type {
  CancelAnswer,
  CreateExportTaskInput,
  DescribeExportTasks,
  ExportTaskPage,
} from './export-task.ts';
import type { AwsRegion } from './regions/open-aws.ts';
import type { CallKeys, Credentials } from './sessions/credentials.ts';

/** The export that the policies permit. A scoped session is limited to it. */
export interface ExportGrant {
  logGroupName: string;
  destination: string;
  destinationPrefix: string;
}

/** Options of every call. */
export interface CallOptions {
  /** The id of the caller. Default: the gateway itself. */
  caller?: string | undefined;
  /** Its priority among the calls of a target. Default: that of its operation. */
  lane?: Lane | undefined;
  /** Aborts when the caller has disconnected. A call that still waits is then not sent. */
  signal?: AbortSignal | undefined;
}

/** Options of CreateExportTask. */
export interface CreateCallOptions extends CallOptions {
  /** Checked just before the first byte. If false, the outcome is `not-sent`. */
  maySend?: () => boolean;
  /** The export the caller may create. With scoped sessions, nothing is possible without it. */
  grant?: ExportGrant | undefined;
}

/** CloudWatch Logs of one account and Region. Failures are `Problem`s. */
export interface CloudWatchLogs {
  /** Sends CreateExportTask exactly once. Returns its outcome; never throws. */
  createExportTask(
    task: CreateExportTaskInput,
    options?: CreateCallOptions,
  ): Promise<CreateOutcome>;
  /** One page of export tasks, newest first. `isFresh` bypasses shared answers. */
  describeExportTasks(
    query: DescribeExportTasks,
    options?: CallOptions & { isFresh?: boolean },
  ): Promise<ExportTaskPage>;
  /** Cancels a task. It is idempotent, and retried when an answer is lost. */
  cancelExportTask(taskId: string, options?: CallOptions): Promise<CancelAnswer>;
  /** One page of log groups, ordered by name. */
  describeLogGroups(query: DescribeLogGroups, options?: CallOptions): Promise<LogGroupPage>;
}

// For all attempts of a read together: below the 8 s of the HTTP handler.
const readDeadlineMs = (timeouts: AwsTimeouts) => timeouts.readMs * 1.4;

/** Makes CloudWatch Logs of one target. Nothing is opened before its first call. */
export function makeCloudWatchLogs(options: {
  region: AwsRegion;
  /** Default: the credentials of the gateway itself. */
  credentials: Credentials | undefined;
  /** Opens the session of one create. Default: creates use `credentials`. */
  openScopedSession?: ((options: CreateCallOptions) => Promise<CallKeys>) | undefined;
  /** Receives each retry of the SDK, and each throttling by AWS. */
  attempts?: AttemptListener | undefined;
}): CloudWatchLogs {
  const { region, openScopedSession, attempts } = options;
  const { credentials = region.defaultCredentials } = options;
  const { timeouts } = region;
  const holder = options; // identifies this target

  // AWS refused the call because its credentials expired or were revoked. The next call needs a new
  // session.
  const renewCredentialsIfRefused = (error: unknown): void => {
    if (isRefusedForCredentials(error)) credentials({ forceRefresh: true }).catch(() => {});
  };

  async function read<Answer extends object>(
    operation: Exclude<Operation, 'CreateExportTask'>,
    send: (client: CloudWatchLogsClient, options: { abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await measureCall(`CloudWatchLogs/${operation}`, region, () =>
        markUnsent(() =>
          withDeadline(readDeadlineMs(timeouts), async (deadline) => {
            const keys = await credentials();
            const user = { holder, keys, attempts, signal: deadline.abortSignal };
            return region.reads.call(user, (client) => send(client, deadline));
          }),
        ),
      );
    } catch (error) {
      renewCredentialsIfRefused(error);
      throw toAwsProblem(operation, error);
    }
  }

  return {
    async createExportTask(task, createOptions = {}) {
      const { maySend = () => true } = createOptions;
      try {
        const scopedKeys = await markUnsent(async () => openScopedSession?.(createOptions));
        const deadlineMs = timeouts.createMs + timeouts.connectMs;
        const answer = await measureCall('CloudWatchLogs/CreateExportTask', region, () =>
          markUnsent(() =>
            withDeadline(deadlineMs, async (deadline) => {
              const keys = scopedKeys ?? (await credentials());
              const signal = deadline.abortSignal;
              return region.creates.call({ holder, keys, signal }, (client) =>
                client.send(task, { keys, maySend, signal }),
              );
            }),
          ),
        );
        return classifyAnswer(answer);
      } catch (error) {
        if (isThrottling(error)) attempts?.reduce();
        if (!openScopedSession) renewCredentialsIfRefused(error); // a scoped session was refused, not these
        return classifyError(error);
      }
    },

    describeExportTasks: (query) =>
      read('DescribeExportTasks', async (client, options) => {
        const command = new DescribeExportTasksCommand(query as DescribeExportTasksCommandInput);
        const answer = await client.send(command, options).catch((error) => {
          if (query.taskId !== undefined && isNotFound(error)) return emptyPage(error);
          throw error;
        });
        return readExportTaskPage(answer);
      }),

    cancelExportTask: (taskId) =>
      read('CancelExportTask', async (client, options) => {
        const answer = await client.send(new CancelExportTaskCommand({ taskId }), options);
        return { awsRequestId: answer.$metadata.requestId };
      }),

    describeLogGroups: (query) =>
      read('DescribeLogGroups', async (client, options) =>
        readLogGroupPage(await client.send(new DescribeLogGroupsCommand(query), options)),
      ),
  };
}

// AWS answers an unknown id with an empty list. Emulators may answer with this error.
function emptyPage({ $metadata }: { $metadata: object }) {
  return { exportTasks: [], $metadata };
}
