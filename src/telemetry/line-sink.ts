import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { pino } from 'pino';

import { type LineOutput, lostLines, writeFailures } from '#diagnostics/lost-lines.ts';
import type { Log } from './log.ts';
import { makeOutageLog, type OutageClocks } from './outage-log.ts';

/** A stream that writes lines in the background. */
export interface LineSink {
  /** Writes a line, or loses it if too many lines wait. */
  write(line: string): void;
  /** Writes the remaining lines, as long as they are read. Later lines are lost. */
  close(): Promise<void>;
}

/** Where lines go, and when. */
interface LineSinkOptions {
  output: LineOutput;
  /** The file descriptor. It is closed at the end, unless it is that of stdout. */
  fd: number;
  /** Where lost lines are reported. */
  log: Log;
  /** The end waits for a reader that reads nothing for this time, in milliseconds. */
  stallMs: number;
  /** How many bytes a write has at least. Default: each line is written at once. */
  minLength?: number;
  /** When fewer bytes are written, in milliseconds. */
  periodicFlush?: number;
  /** Default: real time. */
  clocks?: OutageClocks;
}

/** A stream of pino. */
type Destination = ReturnType<typeof pino.destination> & { destroyed?: boolean; fd?: number };

// Buffered lines for a slow reader of stdout or a stalled disk. Lower: a pause of seconds under load loses
// lines. Higher: the process runs out of memory.
const maxBufferedBytes = 8 * 1024 * 1024;
// A longer write may be split when a pipe is full, and lines of log and audit would mix (PIPE_BUF).
const atomicWriteBytes = 4_096;
// A slow reader loses lines between others. Shorter: each time is logged. Longer: the end is logged late.
const calmMs = 60_000;

/**
 * Opens stdout, and returns its file descriptor. Node makes a pipe or socket non-blocking when it opens its stream.
 * Otherwise a write to a reader that does not read blocks a thread, and the exit waits for its threads forever.
 */
export function openStdout(): number {
  return process.stdout.fd;
}

/**
 * Opens a stream that writes lines in the background, so a reader that stops does not stop the service. Lines
 * that cannot be written wait, and too many are lost. An error is logged.
 */
export function openLineSink(options: LineSinkOptions): LineSink {
  const { output, fd, log, stallMs, clocks, ...buffering } = options;
  const destination: Destination = pino.destination({
    dest: fd,
    sync: false,
    minLength: 0,
    maxLength: maxBufferedBytes,
    maxWrite: atomicWriteBytes,
    ...buffering,
  });
  // Pino's listener is silent forever after one EPIPE, and ends the process after any other error.
  destination.removeAllListeners('error');
  // Pino calls it at the exit. It tries again forever while writes fail.
  destination.flushSync = () => {};

  let lines = 0; // lost, and not in the log yet
  const outage = makeOutageLog({
    log: {
      info(facts, text) {
        const reported = { ...facts, lostLines: lines };
        lines = 0; // before the line, which can be lost, too
        log.info(reported, text);
      },
      warn: (facts, text) => log.warn(facts, text),
      error: (facts, text) => log.error(facts, text),
    },
    calmMs,
    ...clocks,
  });
  let isLosing = false;
  let isClosed = false;
  const logLoss = (facts: object) => {
    isLosing = true;
    writeFailures.publish({ output, isFailing: true });
    outage.failed(
      facts,
      output === 'audit'
        ? 'failed to write the audit; lines were lost'
        : 'failed to write the log; lines were lost',
      { alarmAfterMs: 0 },
    );
  };
  destination.on('error', (err) => logLoss({ err }));
  destination.on('drop', () => {
    lines += 1;
    lostLines.publish({ output, lines: 1 });
    logLoss({ maxBufferedBytes });
  });
  destination.on('write', () => {
    if (isLosing) writeFailures.publish({ output, isFailing: false });
    isLosing = false;
    if (isClosed) return;
    outage.worked(
      {},
      output === 'audit' ? 'the audit is written again' : 'the log is written again',
    );
  });

  return {
    write: (line) => void (isClosed || destination.write(line)),
    async close() {
      isClosed = true;
      const isWritten = await endDestination(destination, isLosing ? 0 : stallMs);
      if (!isWritten) logLoss({ stallMs });
    },
  };
}

/**
 * Ends a destination when everything is written, and returns whether it is. If nothing can be written for
 * `stallMs`, the rest is lost: the exit would wait for a reader that does not read.
 */
async function endDestination(destination: Destination, stallMs: number): Promise<boolean> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallMs);
  destination.on('write', () => void timer.refresh());
  const written = once(destination, 'close', { signal: stalled.signal }).then(
    () => true,
    () => false,
  );
  if (!destination.destroyed) destination.end();
  await written;
  clearTimeout(timer);
  if (!destination.destroyed) destination.destroy();
  if (!(await written)) drainPipe(destination);
  return written;
}

/**
 * Reads from a full pipe in place of its reader. A pending write blocks a thread, and Node waits for its
 * threads at exit. A destination that is not a pipe has no pending write, or cannot be opened.
 */
function drainPipe({ fd }: Destination): void {
  try {
    const pipe = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
    readSync(pipe, Buffer.alloc(2 * atomicWriteBytes));
    closeSync(pipe);
  } catch {}
}
