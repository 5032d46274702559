import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';

import { awsTimeouts } from '#aws/cloudwatch-logs.ts';
import { order, region } from '../order.ts';
import { type Round, runRound } from '../round.ts';

// The connection settings of the gateway's own client for CreateExportTask; all else as it comes.
const client = new CloudWatchLogsClient({
  region,
  maxAttempts: 1,
  requestHandler: {
    connectionTimeout: awsTimeouts.connectMs,
    requestTimeout: awsTimeouts.createMs,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: false },
    httpsAgent: { keepAlive: false },
  },
});

process.on('disconnect', () => process.exit());
process.on('message', async (round: Round) => {
  const result = await runRound(round, async () => {
    await client.send(new CreateExportTaskCommand(order));
  });
  process.send?.(result);
});
process.send?.({});
