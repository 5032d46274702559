import { CloudWatchLogsClient, DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { partitionOf } from './partition.ts';
import { readUnsentRequest } from './unsent-request.ts';

/**
 * The origin that replaces AWS for calls to a service in a Region, set by an AWS_ENDPOINT_URL… variable
 * or a profile; `undefined` when calls go to AWS.
 * @throws the error of the SDK about an endpoint it cannot use
 */
export async function readEndpointOverride(
  region: string,
  service: 'logs' | 'sts' = 'logs',
): Promise<string | undefined> {
  const { protocol, hostname, port } = await readUnsentRequest(region, (config) =>
    service === 'logs'
      ? new CloudWatchLogsClient(config).send(new DescribeExportTasksCommand({}))
      : new STSClient(config).send(new GetCallerIdentityCommand({})),
  );
  if (isAwsHost(region, hostname)) return undefined;
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

/** Whether a host name belongs to AWS, in the partition of a Region. */
export function isAwsHost(region: string, hostname: string): boolean {
  const { dnsSuffix, dualStackDnsSuffix } = partitionOf(region);
  return [dnsSuffix, dualStackDnsSuffix].some((suffix) => hostname.endsWith(`.${suffix}`));
}
