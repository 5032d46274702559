import {
  CloudWatchLogsClient,
  CreateExportTaskCommand,
  type CreateExportTaskCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import { HttpResponse } from '@smithy/core/protocols';

import type { AwsConnectionOptions } from '../client/connections.ts';
import type { CreateExportTaskInput } from '../export-task.ts';
import type { CallKeys } from '../sessions/credentials.ts';
import { type CreateConnections, makeConnectionPool, type SendOptions } from './connection-pool.ts';
import type { HttpAnswer } from './http-connection.ts';
import { makeProxiedConnections } from './proxied-connections.ts';
import { type RequestTemplate, readRequestTemplate, signCreate } from './signed-request.ts';

/** The client for CreateExportTask, for all targets of a Region. */
export interface CreateClient {
  /**
   * Sends CreateExportTask exactly once.
   * @throws the error of the SDK for an answer with an error, or any other error if there is no answer
   */
  send(
    task: CreateExportTaskInput,
    call: SendOptions & { keys: CallKeys },
  ): Promise<CreateExportTaskCommandOutput>;
  destroy(): void;
}

/** Clocks: `now` is epoch ms, `elapsed` only goes forward, in milliseconds. */
export interface Clocks {
  now: () => number;
  elapsed: () => number;
}

/**
 * Opens the client. It uses the parts of the SDK, without the middleware between them: that costs three
 * times as much as signing and sending. The endpoint is that of the Region, or the one in AWS_ENDPOINT_URL….
 */
export function openCreateClient(
  region: string,
  options: AwsConnectionOptions & Clocks,
): CreateClient {
  const { now, proxyEnv } = options;
  const reader = openAnswerReader(region);
  let opening: Promise<OpenEndpoint> | undefined;
  // What AWS's clock is ahead of ours. AWS refuses a signature that is more than 15 minutes off.
  let clockOffsetMs = 0;

  async function open(): Promise<OpenEndpoint> {
    const template = await readRequestTemplate(region);
    const connections = proxyEnv
      ? makeProxiedConnections(options)
      : makeConnectionPool(template, options);
    return { template, connections };
  }

  return {
    async send(task, { keys, ...how }) {
      opening ??= open();
      const { template, connections } = await opening.catch((error) => {
        opening = undefined; // the next call tries again
        throw error;
      });
      const date = new Date(now() + clockOffsetMs);
      const request = signCreate(template, task, { keys, date });
      const answer = await connections.send(request, how);
      const answeredAt = Date.parse(answer.headers.date ?? '');
      if (!Number.isNaN(answeredAt)) clockOffsetMs = answeredAt - now();
      return readTaskId(answer) ?? reader.read(answer);
    },
    destroy() {
      opening?.then(({ connections }) => connections.destroy()).catch(() => {});
      reader.destroy();
    },
  };
}

interface OpenEndpoint {
  template: RequestTemplate;
  connections: CreateConnections;
}

/** Reads the answer of a create that AWS has accepted. Returns `undefined` for every other answer. */
function readTaskId({ statusCode, headers, body }: HttpAnswer) {
  if (statusCode !== 200) return undefined;
  try {
    const { taskId } = JSON.parse(body.toString('utf8'));
    if (typeof taskId !== 'string' || taskId === '') return undefined;
    const requestId = headers['x-amzn-requestid'];
    const $metadata = { httpStatusCode: statusCode, attempts: 1, ...(requestId && { requestId }) };
    return { taskId, $metadata };
  } catch {
    return undefined;
  }
}

/** Reads answers with the client of the SDK, so that each error is the SDK's own. Its calls are never sent. */
function openAnswerReader(region: string) {
  const client = new CloudWatchLogsClient({
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  return {
    read(answer: HttpAnswer): Promise<CreateExportTaskCommandOutput> {
      const command = new CreateExportTaskCommand({} as never);
      command.middlewareStack.add(
        () => async () => ({ response: new HttpResponse(answer) }) as never,
        { step: 'deserialize', priority: 'low', name: 'answerWithoutCall' },
      );
      return client.send(command);
    },
    destroy: () => client.destroy(),
  };
}
