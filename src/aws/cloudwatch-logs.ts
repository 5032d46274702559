import {
  CancelExportTaskCommand,
  CloudWatchLogsClient,
  type CloudWatchLogsClientConfig,
  CreateExportTaskCommand,
  DescribeExportTasksCommand,
  type DescribeExportTasksCommandInput,
  DescribeLogGroupsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Lane } from './call-budget/call-budget.ts';
import { type AttemptListener, watchAttempts } from './client/attempts.ts';
import {
  type AwsConnectionOptions,
  keepAliveConnections,
  oneConnectionPerCall,
} from './client/connections.ts';
import { withDeadline } from './client/deadline.ts';
import { readExactly } from './client/exact-integers.ts';
import { readExportTaskPage, readLogGroupPage } from './client/read-answers.ts';
import type { AwsTimeouts } from './client/timeouts.ts';
import { markUnsent } from './client/unsent-calls.ts';
import { type CreateOutcome, classifyAnswer, classifyError } from './create-outcome.ts';
import {
  isNotFound,
  isRefusedForCredentials,
  type Operation,
  toAwsProblem,
} from './error-meaning.ts';
import type {
  CancelAnswer,
  CreateExportTaskInput,
  DescribeExportTasks,
  DescribeLogGroups,
  ExportTaskPage,
  LogGroupPage,
} from './export-task.ts';
import type { Credentials, SessionKeys } from './sessions/credentials.ts';

/** What somebody may export, as the policies said: a session of their own is narrowed to it. */
export interface ExportGrant {
  logGroupName: string;
  destination: string;
  destinationPrefix: string;
}

/** On whose behalf a call is made: the id of a principal; the gateway's own when absent. */
export interface CallOptions {
  caller?: string | undefined;
  /** Its place among the calls of a target; that of its operation when absent. */
  lane?: Lane | undefined;
  /** Aborts when the caller has gone: what waits for its turn is not sent then. */
  signal?: AbortSignal | undefined;
}

/** How CreateExportTask is sent. */
export interface CreateCallOptions extends CallOptions {
  /** Asked for the last time just before the first byte: a no is the outcome `not-sent`. */
  maySend?: () => boolean;
  /** What the caller may export. Where sessions are scoped, nothing can be without it. */
  grant?: ExportGrant | undefined;
}

/** CloudWatch Logs of one account and Region: four verbs. Failures are `Problem`s. */
export interface CloudWatchLogs extends AsyncDisposable {
  /**
   * Sends CreateExportTask exactly once, and says what is known of its outcome. Never throws.
   */
  createExportTask(task: CreateExportTaskInput, how?: CreateCallOptions): Promise<CreateOutcome>;
  /** One page of export tasks, newest first. `isFresh` asks AWS even if a recent answer is at hand. */
  describeExportTasks(
    query: DescribeExportTasks,
    how?: CallOptions & { isFresh?: boolean },
  ): Promise<ExportTaskPage>;
  /** Asks AWS to cancel a task. May be repeated safely, and is, when an answer is lost. */
  cancelExportTask(taskId: string, how?: CallOptions): Promise<CancelAnswer>;
  /** One page of log groups, in the order of their names. */
  describeLogGroups(query: DescribeLogGroups, how?: CallOptions): Promise<LogGroupPage>;
}

// All attempts of a read together: below the 8 s after which the HTTP side gives up.
const readDeadlineMs = (timeouts: AwsTimeouts) => timeouts.readMs * 1.4;

/**
 * Opens CloudWatch Logs for one Region under one set of credentials. The endpoint is the SDK's for
 * that Region, or what AWS_ENDPOINT_URL… says.
 */
export function openCloudWatchLogs(
  options: AwsConnectionOptions & {
    region: string;
    credentials: Credentials | undefined;
    /** Opens the session that a create runs in, and nothing else; without it, creates have `credentials`. */
    openScopedSession?: ((how: CreateCallOptions) => Promise<SessionKeys>) | undefined;
    /** Hears of each repeated attempt, and when AWS throttles. */
    attempts?: AttemptListener | undefined;
  },
): CloudWatchLogs {
  const { region, timeouts, openScopedSession, attempts } = options;
  const common = {
    region,
    retryMode: 'standard', // not what AWS_RETRY_MODE says
    ...(options.credentials && { credentials: options.credentials }),
  } satisfies CloudWatchLogsClientConfig;
  const watched = (client: CloudWatchLogsClient) => {
    if (attempts) client.middlewareStack.use(watchAttempts(attempts));
    return client;
  };
  const createClient = watched(
    new CloudWatchLogsClient({
      ...common,
      maxAttempts: 1, // CreateExportTask is not idempotent; not what AWS_MAX_ATTEMPTS says
      requestHandler: oneConnectionPerCall(options),
    }),
  );
  // A client for one call, on the connections of the other one; so it is not to be destroyed.
  const createClientUnder = (credentials: SessionKeys) =>
    watched(
      new CloudWatchLogsClient({
        ...common,
        credentials,
        maxAttempts: 1,
        requestHandler: createClient.config.requestHandler,
      }),
    );
  const readClient = watched(
    new CloudWatchLogsClient({
      ...common,
      maxAttempts: 3,
      requestHandler: keepAliveConnections(options),
    }),
  );
  readClient.middlewareStack.use(readExactly);

  // Expired or revoked credentials: the call was refused before it had an effect, and the next one
  // shall not meet the same session.
  const renewCredentialsIfRefused = (error: unknown): void => {
    if (!isRefusedForCredentials(error)) return;
    readClient.config.credentials({ forceRefresh: true }).catch(() => {});
    createClient.config.credentials({ forceRefresh: true }).catch(() => {});
  };

  async function read<Answer>(
    operation: Exclude<Operation, 'CreateExportTask'>,
    send: (options: { abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await markUnsent(() => withDeadline(readDeadlineMs(timeouts), send));
    } catch (error) {
      renewCredentialsIfRefused(error);
      throw toAwsProblem(operation, error);
    }
  }

  return {
    async createExportTask(task, how = {}) {
      const { maySend = () => true } = how;
      const command = new CreateExportTaskCommand({
        ...task,
        // The SDK's type says number; it sends a bigint digit by digit, a number above 2^53 rounded.
        from: task.from as unknown as number,
        to: task.to as unknown as number,
      });
      command.middlewareStack.add(
        (next) => async (args) => {
          if (maySend()) return next(args);
          throw new Error('too late to send');
        },
        { step: 'finalizeRequest', priority: 'low', name: 'lastLook' },
      );
      try {
        return await markUnsent(async () => {
          const client = openScopedSession
            ? createClientUnder(await openScopedSession(how))
            : createClient;
          // The handler's own timeout ends with the headers; this one covers the body as well.
          const answer = await withDeadline(timeouts.createMs + timeouts.connectMs, (options) =>
            client.send(command, options),
          );
          return classifyAnswer(answer);
        });
      } catch (error) {
        if (!openScopedSession) renewCredentialsIfRefused(error); // else they were not the ones refused
        return classifyError(error);
      }
    },

    describeExportTasks: (query) =>
      read('DescribeExportTasks', async (options) => {
        const command = new DescribeExportTasksCommand(query as DescribeExportTasksCommandInput);
        const answer = await readClient.send(command, options).catch((error) => {
          if (query.taskId !== undefined && isNotFound(error)) return answerOfNone(error);
          throw error;
        });
        return readExportTaskPage(answer);
      }),

    cancelExportTask: (taskId) =>
      read('CancelExportTask', async (options) => {
        const answer = await readClient.send(new CancelExportTaskCommand({ taskId }), options);
        return { awsRequestId: answer.$metadata.requestId };
      }),

    describeLogGroups: (query) =>
      read('DescribeLogGroups', async (options) =>
        readLogGroupPage(await readClient.send(new DescribeLogGroupsCommand(query), options)),
      ),

    async [Symbol.asyncDispose]() {
      createClient.destroy();
      readClient.destroy();
    },
  };
}

// An unknown id is an empty list at AWS; what stands in for AWS may say it in this way.
function answerOfNone({ $metadata }: { $metadata: object }) {
  return { exportTasks: [], $metadata };
}
