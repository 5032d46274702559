import { type EmulatorOptions, openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { bucketOf, organisationTargets } from './organisation.ts';
import { createBody, logGroupNames, region } from './requests.ts';

/** The tasks and calls of the emulator. Times are epoch ms. */
export interface AwsRecord {
  /** Oldest first. */
  tasks: { slot: string; createdAt: number; finishedAt: number | undefined }[];
  /** All calls, oldest first. The account in `slot` is that of the caller. */
  calls: { at: number; operation: string; slot: string }[];
}

type Place = { accountId: string | undefined; region: string | undefined };
const slotOf = ({ accountId, region }: Place) => `${accountId}/${region}`;

/** Opens the emulator with the log groups and buckets of the benchmark, and those of an organisation. */
export async function openEmulatedAws(options: EmulatorOptions, targets: number) {
  const emulator = await openEmulator(options);
  for (const logGroupName of [createBody.logGroupName, ...logGroupNames]) {
    emulator.seed.logGroup({ region, logGroupName });
  }
  emulator.seed.bucket({ region, bucket: createBody.destination });
  for (const target of organisationTargets(targets)) {
    const { accountId, region } = target;
    emulator.seed.logGroup({ accountId, region, logGroupName: createBody.logGroupName });
    emulator.seed.bucket({ accountId, region, bucket: bucketOf(target) });
  }
  return {
    url: emulator.url,
    close: emulator.close,
    read: (): AwsRecord => ({
      tasks: emulator.exportTasks().map((task) => ({
        slot: slotOf(task),
        createdAt: task.createdAt,
        finishedAt: task.finishedAt,
      })),
      calls: emulator.journal
        .entries()
        .map((call) => ({ at: call.at, operation: call.operation, slot: slotOf(call) })),
    }),
  };
}
