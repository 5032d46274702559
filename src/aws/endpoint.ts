import { CloudWatchLogsClient, DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';

const awsHost = /\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/;

/** The part of the SDK's request that says where it goes. */
interface Destination {
  protocol: string;
  hostname: string;
  port?: number | undefined;
}

/**
 * The origin that calls of a Region go to instead of AWS, because an AWS_ENDPOINT_URL… variable or
 * the profile says so; `undefined` when they go to AWS. The SDK itself is asked, by a call that
 * ends before anything is sent: it alone knows all the places an endpoint may come from.
 */
export async function readRedirect(region: string): Promise<string | undefined> {
  const { promise: asked, resolve } = Promise.withResolvers<Destination>();
  const client = new CloudWatchLogsClient({
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    requestHandler: {
      handle: async (request: Destination) => {
        resolve(request);
        throw new Error('never sent');
      },
    },
  });
  await client.send(new DescribeExportTasksCommand({})).catch(() => {});
  const { protocol, hostname, port } = await asked;
  if (awsHost.test(hostname)) return undefined;
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}
