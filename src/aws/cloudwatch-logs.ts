import {
  CancelExportTaskCommand,
  type CloudWatchLogsClient,
  DescribeExportTasksCommand,
  type DescribeExportTasksCommandInput,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  GetQueryResultsCommand,
  StartQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { CallOptions, CreateCallOptions, EventCallOptions } from './call-options.ts';
import type { AttemptListener } from './client/attempts.ts';
import { withDeadline } from './client/deadline.ts';
import { measureCall } from './client/measure-call.ts';
import {
  readEventPage,
  readExportTaskPage,
  readLogGroupPage,
  readQueryResults,
  readStartedQuery,
} from './client/read-answers.ts';
import { readDeadlineMs } from './client/timeouts.ts';
import { markUnsent } from './client/unsent-calls.ts';
import { type CreateOutcome, classifyAnswer, classifyError } from './create-outcome.ts';
import {
  isNotFound,
  isRefusedForCredentials,
  isThrottling,
  toAwsProblem,
} from './error-meaning.ts';
import type { Operation } from './error-table.ts';
import type {
  CancelAnswer,
  CreateExportTaskInput,
  DescribeExportTasks,
  ExportTaskPage,
} from './export-task.ts';
import type { DescribeLogGroups, LogGroupPage } from './log-groups/describe-log-groups.ts';
import type {
  EventPage,
  FilterLogEvents,
  QueryResults,
  StartedQuery,
  StartQuery,
} from './log-groups/event-reads.ts';
import type { AwsRegion } from './regions/open-aws.ts';
import type { CallKeys, Credentials, VerificationCredentials } from './sessions/credentials.ts';

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
  /** Counts one page of the events of a log group. */
  filterLogEvents(query: FilterLogEvents, options?: EventCallOptions): Promise<EventPage>;
  /** Starts a query of CloudWatch Logs Insights. AWS charges for the data that it scans. */
  startQuery(query: StartQuery, options?: EventCallOptions): Promise<StartedQuery>;
  /** Reads the state and the results of a query. */
  readQuery(queryId: string, options?: EventCallOptions): Promise<QueryResults>;
}

/** Makes CloudWatch Logs of one target. Nothing is opened before its first call. */
export function makeCloudWatchLogs(options: {
  region: AwsRegion;
  /** Default: the credentials of the gateway itself. */
  credentials: Credentials | undefined;
  /** Opens the session of one create. Default: creates use `credentials`. */
  openScopedSession?: ((options: CreateCallOptions) => Promise<CallKeys>) | undefined;
  /** The credentials of one verification. Default: it uses `credentials`. */
  credentialsFor?: VerificationCredentials | undefined;
  /** Receives each retry of the SDK, and each throttling by AWS. */
  attempts?: AttemptListener | undefined;
}): CloudWatchLogs {
  const { region, openScopedSession, credentialsFor, attempts } = options;
  const { credentials = region.defaultCredentials } = options;
  const { timeouts } = region;
  const holder = options; // identifies this target

  // AWS refused the call because its credentials expired or were revoked. The next call needs a new
  // session.
  const renewIfRefused = (refused: Credentials, error: unknown): void => {
    if (isRefusedForCredentials(error)) refused({ forceRefresh: true }).catch(() => {});
  };

  async function read<Answer extends object>(
    operation: Exclude<Operation, 'CreateExportTask'>,
    send: (client: CloudWatchLogsClient, options: { abortSignal: AbortSignal }) => Promise<Answer>,
    { grant, caller }: EventCallOptions = {},
  ): Promise<Answer> {
    const source = (grant && credentialsFor?.(grant, caller)) ?? credentials;
    try {
      return await measureCall(`CloudWatchLogs/${operation}`, region, () =>
        markUnsent(() =>
          withDeadline(readDeadlineMs(timeouts), async (deadline) => {
            const keys = await source();
            const user = { holder, keys, attempts, signal: deadline.abortSignal };
            return region.reads.call(user, (client) => send(client, deadline));
          }),
        ),
      );
    } catch (error) {
      renewIfRefused(source, error);
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
        if (!openScopedSession) renewIfRefused(credentials, error); // a scoped session was refused, not these
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

    filterLogEvents: ({ from, to, ...query }, callOptions) =>
      read(
        'FilterLogEvents',
        async (client, options) => {
          const command = new FilterLogEventsCommand({ ...query, startTime: from, endTime: to });
          return readEventPage(await client.send(command, options));
        },
        callOptions,
      ),

    startQuery: ({ from, to, ...query }, callOptions) =>
      read(
        'StartQuery',
        async (client, options) => {
          const command = new StartQueryCommand({ ...query, startTime: from, endTime: to });
          return readStartedQuery(await client.send(command, options));
        },
        callOptions,
      ),

    readQuery: (queryId, callOptions) =>
      read(
        'GetQueryResults',
        async (client, options) =>
          readQueryResults(await client.send(new GetQueryResultsCommand({ queryId }), options)),
        callOptions,
      ),
  };
}

// AWS answers an unknown id with an empty list. Emulators may answer with this error.
function emptyPage({ $metadata }: { $metadata: object }) {
  return { exportTasks: [], $metadata };
}
