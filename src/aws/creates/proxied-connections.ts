import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

import { readAnswerBody } from '../client/answer-bodies.ts';
import { type AwsConnectionOptions, oneConnectionPerCall } from '../client/connections.ts';
import type { CreateConnections } from './connection-pool.ts';
import { maxBodyBytes } from './http-connection.ts';

/**
 * Makes connections through a forward proxy, by the agents of Node: a new one for each call. The idle
 * time of a proxy is not known.
 */
export function makeProxiedConnections(options: AwsConnectionOptions): CreateConnections {
  const client = new CloudWatchLogsClient({
    region: 'none', // only its request handler is used
    requestHandler: oneConnectionPerCall(options),
  });
  const handler = client.config.requestHandler;
  return {
    async send(request, { maySend, signal }) {
      if (!maySend()) throw new Error('the call is no longer allowed');
      const { response } = await handler.handle(request as never, { abortSignal: signal });
      const { statusCode, headers } = response;
      return { statusCode, headers, body: await readAnswerBody(response.body, maxBodyBytes) };
    },
    destroy: () => client.destroy(),
  };
}
