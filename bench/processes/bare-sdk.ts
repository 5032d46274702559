import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';

import { oneConnectionPerCall } from '#aws/client/connections.ts';
import { awsTimeouts } from '#aws/client/timeouts.ts';
import { createBody, region } from '../requests.ts';
import { type Round, runRound } from '../round.ts';

// Connections as in the gateway for CreateExportTask. Everything else is the default.
const client = new CloudWatchLogsClient({
  region,
  maxAttempts: 1,
  requestHandler: oneConnectionPerCall({ timeouts: awsTimeouts }),
});

process.on('disconnect', () => process.exit());
process.on('message', async (round: Round) => {
  const result = await runRound(round, async () => {
    await client.send(new CreateExportTaskCommand(createBody));
  });
  process.send?.(result);
});
process.send?.({});
