import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { logGroupNames, order, region } from '../order.ts';

/** What an AWS was asked to do; instants are epoch ms. */
export interface AwsRecord {
  /** Oldest first. */
  tasks: { createdAt: number; finishedAt: number | undefined }[];
  /** Calls of every kind, oldest first. */
  calls: { at: number; operation: string }[];
}

const emulator = await openEmulator(JSON.parse(process.env.EMULATOR_OPTIONS ?? '{}'));
for (const logGroupName of [order.logGroupName, ...logGroupNames]) {
  emulator.seed.logGroup({ region, logGroupName });
}
emulator.seed.bucket({ region, bucket: order.destination });

process.on('disconnect', () => process.exit());
process.on('message', () => {
  const record: AwsRecord = {
    tasks: emulator.exportTasks().map(({ createdAt, finishedAt }) => ({ createdAt, finishedAt })),
    calls: emulator.journal.entries().map(({ at, operation }) => ({ at, operation })),
  };
  process.send?.(record);
});
process.send?.({ url: emulator.url });
