import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { bucketOf, organisationTargets } from '../organisation.ts';
import { createBody, logGroupNames, region } from '../requests.ts';

/** The tasks and calls of the emulator. Times are epoch ms. */
export interface AwsRecord {
  /** Oldest first. */
  tasks: { slot: string; createdAt: number; finishedAt: number | undefined }[];
  /** All calls, oldest first. The account in `slot` is that of the caller. */
  calls: { at: number; operation: string; slot: string }[];
}

type Place = { accountId: string | undefined; region: string | undefined };
const slotOf = ({ accountId, region }: Place) => `${accountId}/${region}`;

const emulator = await openEmulator(JSON.parse(process.env.EMULATOR_OPTIONS ?? '{}'));
for (const logGroupName of [createBody.logGroupName, ...logGroupNames]) {
  emulator.seed.logGroup({ region, logGroupName });
}
emulator.seed.bucket({ region, bucket: createBody.destination });
for (const target of organisationTargets(Number(process.env.TARGETS ?? 0))) {
  const { accountId, region } = target;
  emulator.seed.logGroup({ accountId, region, logGroupName: createBody.logGroupName });
  emulator.seed.bucket({ accountId, region, bucket: bucketOf(target) });
}

process.on('disconnect', () => process.exit());
process.on('message', () => {
  const record: AwsRecord = {
    tasks: emulator.exportTasks().map((task) => ({
      slot: slotOf(task),
      createdAt: task.createdAt,
      finishedAt: task.finishedAt,
    })),
    calls: emulator.journal
      .entries()
      .map((call) => ({ at: call.at, operation: call.operation, slot: slotOf(call) })),
  };
  process.send?.(record);
});
process.send?.({ url: emulator.url });
