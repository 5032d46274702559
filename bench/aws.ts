import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';
import { type Child, startChild } from './child.ts';
import { supportCore } from './machine.ts';
import type { AwsRecord } from './processes/aws.ts';

/** The emulator in a process of its own. */
export interface AwsProcess extends Child {
  url: string;
  /** Returns its tasks and the calls it received, by its own clock. */
  read(): Promise<AwsRecord>;
  /** Reads until the condition holds, and returns that record. A long record takes time to read. */
  readUntil(condition: (record: AwsRecord) => boolean, intervalMs?: number): Promise<AwsRecord>;
}

// Accepts every create and finishes it at once. It keeps little, so that its memory does not grow.
const unlimited: EmulatorOptions = {
  pendingMs: 0,
  runningMs: 0,
  keepFinishedTasksMs: 1_000,
  activeTaskLimit: Number.MAX_SAFE_INTEGER,
  rateLimits: 'off',
  journalLimit: 100,
};

const defaultIntervalMs = 5;

/**
 * Starts the emulator. Default: it accepts every create and finishes it at once. `targets` of an
 * organisation have a log group and a bucket.
 */
export async function startAws(
  options: EmulatorOptions = unlimited,
  targets = 0,
): Promise<AwsProcess> {
  const child = startChild({
    script: 'bench/processes/aws.ts',
    core: supportCore,
    env: { EMULATOR_OPTIONS: JSON.stringify(options), TARGETS: String(targets) },
  });
  const { url } = await child.whenReady<{ url: string }>();
  const read = () => child.call<AwsRecord>('read');
  return {
    ...child,
    url,
    read,
    async readUntil(condition, intervalMs = defaultIntervalMs) {
      for (;;) {
        const record = await read();
        if (condition(record)) return record;
        await new Promise((resolve) => setTimeout(resolve, intervalMs));
      }
    },
  };
}
