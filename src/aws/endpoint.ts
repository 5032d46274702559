import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

const awsHost = /\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/;

/**
 * The URL that calls of a Region go to instead of AWS, because an AWS_ENDPOINT_URL… variable or
 * the profile says so; `undefined` when they go to AWS.
 */
export async function readRedirect(region: string): Promise<string | undefined> {
  const client = new CloudWatchLogsClient({ region });
  try {
    const endpoint = await client.config.endpoint?.();
    if (endpoint === undefined || awsHost.test(endpoint.hostname)) return undefined;
    const port = endpoint.port === undefined ? '' : `:${endpoint.port}`;
    return `${endpoint.protocol}//${endpoint.hostname}${port}${endpoint.path}`;
  } finally {
    client.destroy();
  }
}
