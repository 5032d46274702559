import { CloudWatchLogsClient, DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { partitionOf } from './partition.ts';

/** The destination of a request of the SDK. */
interface RequestOrigin {
  protocol: string;
  hostname: string;
  port?: number | undefined;
}

/**
 * The origin that replaces AWS for calls to a service in a Region, set by an AWS_ENDPOINT_URL… variable
 * or a profile; `undefined` when calls go to AWS. A call of the SDK finds it out and ends before it
 * is sent: only the SDK knows all the places an endpoint may come from.
 * @throws the error of the SDK about an endpoint it cannot use
 */
export async function readEndpointOverride(
  region: string,
  service: 'logs' | 'sts' = 'logs',
): Promise<string | undefined> {
  let origin: RequestOrigin | undefined;
  const config = {
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    requestHandler: {
      handle: async (request: RequestOrigin) => {
        origin = request;
        throw new Error('never sent');
      },
    },
  };
  const call =
    service === 'logs'
      ? new CloudWatchLogsClient(config).send(new DescribeExportTasksCommand({}))
      : new STSClient(config).send(new GetCallerIdentityCommand({}));
  const ending = await call.catch((error) => error);
  if (!origin) throw ending; // the SDK could not make a request
  const { protocol, hostname, port } = origin;
  const { dnsSuffix, dualStackDnsSuffix } = partitionOf(region);
  if ([dnsSuffix, dualStackDnsSuffix].some((suffix) => hostname.endsWith(`.${suffix}`))) {
    return undefined;
  }
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}
