import { open } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';

import { configError } from '#problems/config-error.ts';
import type { Log } from '#telemetry/log.ts';
import { endDestination, writtenWholeBytes } from '#telemetry/logger.ts';
import { type Audit, makeAudit } from './audit.ts';

// What waits for a reader of stdout or a disk that stands still. Less, and a pause of seconds under
// load loses lines; more, and the process runs out of memory instead.
const maxWaitingBytes = 8 * 1024 * 1024;
// Longer, and the ten seconds until the exit are over; shorter, and a busy disk loses the last lines.
const stallMs = 400;

/**
 * Opens the audit at `stdout`, or a file that is appended to; it and its directories are made if
 * they are missing. Lines are written at once and in the background, so that nobody who stops
 * reading stops the service. Lines that cannot be written are lost, and the log says so.
 * @throws an error named ConfigError when the file cannot be written
 */
export async function openAudit(
  where: string,
  log: Pick<Log, 'error'>,
): Promise<Audit & AsyncDisposable> {
  const destination = pino.destination({
    dest: where === 'stdout' ? 1 : await openToAppend(where),
    sync: false,
    minLength: 0,
    maxLength: maxWaitingBytes,
    maxWrite: writtenWholeBytes,
  });
  let isLosing = false;
  const complain = (facts: object) => {
    if (!isLosing) log.error(facts, 'failed to write the audit; lines were lost');
    isLosing = true;
  };
  destination.on('error', (err) => complain({ err }));
  destination.on('drop', () => complain({ maxWaitingBytes }));
  destination.on('write', () => {
    isLosing = false;
  });

  let isClosed = false;
  return {
    ...makeAudit({ write: (line) => void (isClosed || destination.write(line)) }),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      const isWritten = await endDestination(destination, isLosing ? 0 : stallMs);
      if (!isWritten) complain({ stallMs });
    },
  };
}

/** Opened here and not by the stream: one that could not open its file throws once more when the process ends. */
async function openToAppend(path: string): Promise<number> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await promisify(open)(path, 'a');
  } catch (error) {
    throw configError(
      `AUDIT_LOG is ${JSON.stringify(path)}, but must be stdout, or the path of a file this process may append to (${(error as Error).message}).`,
    );
  }
}
