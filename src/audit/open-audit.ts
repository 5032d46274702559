import { open } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';

import { auditFailures, lostAuditLines } from '#diagnostics/audit-lines.ts';
import { configError } from '#problems/config-error.ts';
import type { Log } from '#telemetry/log.ts';
import { atomicWriteBytes, endDestination } from '#telemetry/logger.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import { type Audit, makeAudit } from './audit.ts';

// Buffered lines for a slow reader of stdout or a stalled disk. Lower: a pause of seconds under load loses
// lines. Higher: the process runs out of memory.
const maxBufferedBytes = 8 * 1024 * 1024;
// Lower: a busy disk loses the last lines. Higher: the ten seconds until the exit are over.
const defaultStallMs = 400;
// A slow reader loses lines between others. Shorter: each time is logged. Longer: the end is logged late.
const calmMs = 60_000;

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
  const destination = pino.destination({
    dest: where === 'stdout' ? 1 : await openToAppend(where),
    sync: false,
    minLength: 0,
    maxLength: maxBufferedBytes,
    maxWrite: atomicWriteBytes,
  });
  const outage = makeOutageLog({ log, calmMs });
  let isLosing = false;
  let isClosed = false;
  const logLoss = (facts: object) => {
    isLosing = true;
    auditFailures.publish({ isFailing: true });
    outage.failed(facts, 'failed to write the audit; lines were lost', { alarmAfterMs: 0 });
  };
  destination.on('error', (err) => logLoss({ err }));
  destination.on('drop', () => {
    lostAuditLines.publish({ lines: 1 });
    logLoss({ maxBufferedBytes });
  });
  destination.on('write', () => {
    if (isLosing) auditFailures.publish({ isFailing: false });
    isLosing = false;
    if (!isClosed) outage.worked({}, 'the audit is written again');
  });

  return {
    ...makeAudit({ write: (line) => void (isClosed || destination.write(line)) }),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      const isWritten = await endDestination(destination, isLosing ? 0 : stallMs);
      if (!isWritten) logLoss({ stallMs });
    },
  };
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
