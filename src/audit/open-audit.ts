import { open } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { configError } from '#problems/config-error.ts';
import { openLineSink, openStdout } from '#telemetry/line-sink.ts';
import type { Log } from '#telemetry/log.ts';
import { type Audit, makeAudit } from './audit.ts';

// Lower: a busy disk loses the last lines. Higher: the ten seconds until the exit are over.
const defaultStallMs = 400;

/**
 * Opens the audit on `stdout` or in a file, which is appended to or created with its directories. Lines
 * are written at once and in the background, so a reader that stops does not stop the service. Lines that
 * cannot be written are lost, and an error is logged. At its end it waits for a reader that reads nothing for
 * `stallMs`.
 * @throws an error named ConfigError if the file is not writable
 */
export async function openAudit(
  where: string,
  log: Log,
  stallMs = defaultStallMs,
): Promise<Audit & AsyncDisposable> {
  const fd = where === 'stdout' ? openStdout() : await openToAppend(where);
  const sink = openLineSink({ output: 'audit', fd, log, stallMs });
  return { ...makeAudit(sink), [Symbol.asyncDispose]: sink.close };
}

/** Opens the file here: a stream that fails to open its file throws again at the exit of the process. */
async function openToAppend(path: string): Promise<number> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await promisify(open)(path, 'a');
  } catch (error) {
    throw configError(
      `AUDIT_LOG is ${JSON.stringify(path)}, but must be stdout, or the path of a file that this process can append to (${(error as Error).message}).`,
    );
  }
}
