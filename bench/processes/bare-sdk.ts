import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';

import { oneConnectionPerCall } from '#aws/client/connections.ts';
import { awsTimeouts } from '#aws/client/timeouts.ts';
import { order, region } from '../order.ts';
import { type Round, runRound } from '../round.ts';

// Connects as the gateway does for CreateExportTask; all else as it comes.
const client = new CloudWatchLogsClient({
  region,
  maxAttempts: 1,
  requestHandler: oneConnectionPerCall({ timeouts: awsTimeouts }),
});

process.on('disconnect', () => process.exit());
process.on('message', async (round: Round) => {
  const result = await runRound(round, async () => {
    await client.send(new CreateExportTaskCommand(order));
  });
  process.send?.(result);
});
process.send?.({});
