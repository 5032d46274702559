import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';

import { createBody, region } from '../requests.ts';
import { type Round, runRound } from '../round.ts';

// One attempt, as in the gateway. Everything else is the default.
const client = new CloudWatchLogsClient({ region, maxAttempts: 1 });

process.on('disconnect', () => process.exit());
process.on('message', async (round: Round) => {
  const result = await runRound(round, async () => {
    await client.send(new CreateExportTaskCommand(createBody));
  });
  process.send?.(result);
});
process.send?.({});
