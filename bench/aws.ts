import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';
import { startChild, type Usage, usageOf } from './child.ts';
import { type AwsRecord, openEmulatedAws } from './emulated-aws.ts';
import { isShort } from './form.ts';
import { supportCore } from './machine.ts';
import { waitUntil } from './wait-until.ts';

/** The emulator in a process of its own; the short form, which measures nothing, has it in this process. */
export interface AwsProcess extends Usage, AsyncDisposable {
  url: string;
  /** Returns its tasks and the calls it received, by its own clock. */
  read(): Promise<AwsRecord>;
  /** Reads until the record is as awaited, and returns it. */
  readUntil(what: string, isDone: (record: AwsRecord) => boolean, pace?: Pace): Promise<AwsRecord>;
}

/** How often to read, and what to say about the last record if the wait is in vain. */
interface Pace {
  /** The pause between two reads, in ms. A long record takes time to read. Default: 20. */
  pauseMs?: number;
  describe?: (record: AwsRecord) => string;
}

// Accepts every create and finishes it at once. It keeps little, so that its memory does not grow. In the short form,
// a caller on a busy machine reads its last task later than after a second.
const unlimited: EmulatorOptions = {
  pendingMs: 0,
  runningMs: 0,
  keepFinishedTasksMs: isShort ? 60_000 : 1_000,
  activeTaskLimit: Number.MAX_SAFE_INTEGER,
  rateLimits: 'off',
  journalLimit: 100,
};

const countAll = ({ tasks, calls }: AwsRecord) =>
  `${tasks.length} tasks, ${tasks.filter(({ finishedAt }) => finishedAt !== undefined).length} of them finished, and ${calls.length} calls`;

/**
 * Starts the emulator. Default: it accepts every create and finishes it at once. `targets` of an
 * organisation have a log group and a bucket.
 */
export async function startAws(
  options: EmulatorOptions = unlimited,
  targets = 0,
): Promise<AwsProcess> {
  const aws = await (isShort ? openAws(options, targets) : startAwsProcess(options, targets));
  const { read } = aws;
  return {
    ...aws,
    readUntil: (what, isDone, { pauseMs = 20, describe = countAll } = {}) =>
      waitUntil({ what, read, isDone, describe, pauseMs: () => pauseMs }),
  };
}

async function openAws(options: EmulatorOptions, targets: number) {
  const { url, close, read } = await openEmulatedAws(options, targets);
  return {
    ...usageOf(process.pid),
    url,
    read: async () => read(),
    [Symbol.asyncDispose]: close,
  };
}

async function startAwsProcess(options: EmulatorOptions, targets: number) {
  const child = startChild({
    script: 'bench/processes/aws.ts',
    core: supportCore,
    env: { EMULATOR_OPTIONS: JSON.stringify(options), TARGETS: String(targets) },
  });
  const { url } = await child.whenReady<{ url: string }>();
  return { ...child, url, read: () => child.call<AwsRecord>('read') };
}
