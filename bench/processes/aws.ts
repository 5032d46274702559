import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { createBody, logGroupNames, region } from '../requests.ts';

/** The tasks and calls of the emulator. Times are epoch ms. */
export interface AwsRecord {
  /** Oldest first. */
  tasks: { createdAt: number; finishedAt: number | undefined }[];
  /** All calls, oldest first. */
  calls: { at: number; operation: string }[];
}

const emulator = await openEmulator(JSON.parse(process.env.EMULATOR_OPTIONS ?? '{}'));
for (const logGroupName of [createBody.logGroupName, ...logGroupNames]) {
  emulator.seed.logGroup({ region, logGroupName });
}
emulator.seed.bucket({ region, bucket: createBody.destination });

process.on('disconnect', () => process.exit());
process.on('message', () => {
  const record: AwsRecord = {
    tasks: emulator.exportTasks().map(({ createdAt, finishedAt }) => ({ createdAt, finishedAt })),
    calls: emulator.journal.entries().map(({ at, operation }) => ({ at, operation })),
  };
  process.send?.(record);
});
process.send?.({ url: emulator.url });
