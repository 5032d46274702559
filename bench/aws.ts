import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';
import { type Child, startChild } from './child.ts';
import { othersCore } from './machine.ts';
import type { AwsRecord } from './processes/aws.ts';

/** An AWS in a process of its own. */
export interface AwsProcess extends Child {
  url: string;
  /** What it was asked to do, by its own clock. */
  read(): Promise<AwsRecord>;
  /** Resolves with what `read` says once that fulfils the condition. */
  readUntil(condition: (record: AwsRecord) => boolean): Promise<AwsRecord>;
}

// An AWS that takes every order and finishes it at once, and does not grow.
const unlimited: EmulatorOptions = {
  pendingMs: 0,
  runningMs: 0,
  keepFinishedTasksMs: 1_000,
  activeTaskLimit: Number.MAX_SAFE_INTEGER,
  rateLimits: 'off',
  journalLimit: 100,
};

const readEveryMs = 5;

/** Starts an AWS; without options it takes every order and finishes it at once. */
export async function startAws(options: EmulatorOptions = unlimited): Promise<AwsProcess> {
  const child = startChild({
    script: 'bench/processes/aws.ts',
    core: othersCore,
    env: { EMULATOR_OPTIONS: JSON.stringify(options) },
  });
  const { url } = await child.hello<{ url: string }>();
  const read = () => child.ask<AwsRecord>('read');
  return {
    ...child,
    url,
    read,
    async readUntil(condition) {
      for (;;) {
        const record = await read();
        if (condition(record)) return record;
        await new Promise((resolve) => setTimeout(resolve, readEveryMs));
      }
    },
  };
}
