import { CloudWatchLogsClient, DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { partitionOf } from './partition.ts';

/** The part of the SDK's request that says where it goes. */
interface RedirectTarget {
  protocol: string;
  hostname: string;
  port?: number | undefined;
}

/**
 * The origin that calls to a service in a Region go to instead of AWS, because an AWS_ENDPOINT_URL… variable or
 * the profile says so; `undefined` when they go to AWS. The SDK itself is asked, by a call that
 * ends before anything is sent: it alone knows all the places an endpoint may come from.
 * @throws what the SDK says of an endpoint it cannot use
 */
export async function readEndpointOverride(
  region: string,
  service: 'logs' | 'sts' = 'logs',
): Promise<string | undefined> {
  let asked: RedirectTarget | undefined;
  const config = {
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    requestHandler: {
      handle: async (request: RedirectTarget) => {
        asked = request;
        throw new Error('never sent');
      },
    },
  };
  const call =
    service === 'logs'
      ? new CloudWatchLogsClient(config).send(new DescribeExportTasksCommand({}))
      : new STSClient(config).send(new GetCallerIdentityCommand({}));
  const ending = await call.catch((error) => error);
  if (!asked) throw ending; // the SDK could make no request of what it was given
  const { protocol, hostname, port } = asked;
  const { dnsSuffix, dualStackDnsSuffix } = partitionOf(region);
  if ([dnsSuffix, dualStackDnsSuffix].some((suffix) => hostname.endsWith(`.${suffix}`))) {
    return undefined;
  }
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}
