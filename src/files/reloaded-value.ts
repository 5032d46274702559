import { reloads } from '#diagnostics/reloads.ts';
import { configError } from '#problems/config-error.ts';
import type { Log } from '#telemetry/log.ts';
import { makeOutageLog, type OutageClocks } from '#telemetry/outage-log.ts';
import { type AbortableSleep, sleepUntilAborted } from '#time/sleep.ts';
import type { PollSleep } from './reload-signal.ts';

/** A value loaded from files that are polled for changes. */
export interface ReloadedValue<Value> extends AsyncDisposable {
  /** The latest valid version. */
  current(): Value;
}

/** What is loaded, and how. */
export interface ReloadedValueOptions<Value> {
  /** What the files hold, as a member of log lines: "policies". */
  what: string;
  /** Reads the files as one text. The value is loaded again when the text differs. */
  read: () => Promise<string>;
  /** Makes the value of the text, or throws if the text is invalid. */
  load: (text: string) => Value | Promise<Value>;
  /** Whether a change is loaded only when two reads in a row agree. For files that arrive one by one. Default: false. */
  isSettlingAwaited?: boolean;
  /** What a change has changed, as members of the log line. Default: nothing. */
  compare?: (before: Value, after: Value) => Record<string, number>;
  /** Waits between two reads. If it resolves with `asked`, the result of the next read is logged. */
  sleep: PollSleep;
  /** Waits for a read that does not end. Default: in real time. */
  sleepUntilLate?: AbortableSleep;
  /** The clocks of the log lines. Default: real time. */
  clocks?: OutageClocks;
  log: Log;
}

// Files are polled, not watched: platforms replace mounted files behind a link, on file systems that
// send no events. Lower: useless reads. Higher: a withdrawn key stays valid longer.
const pollIntervalMs = 2_000;
// The reads after which files that never stop changing are loaded anyway. Fewer: files that are copied
// slowly are loaded half. More: such files hide a withdrawn permission longer.
const maxUnsettledReads = 5;
// How long a read may take. Lower: a slow network drive, or a busy machine, counts as broken. Higher: nobody
// learns that a drive hangs, and that withdrawn keys stay valid.
const readWithinMs = 30_000;

/**
 * Loads a value from files, and loads it again when they change. An invalid file is ignored: the
 * previous version stays active and an error is logged until it is fixed.
 * @throws what `read` or `load` throw the first time
 */
export async function openReloadedValue<Value>(
  options: ReloadedValueOptions<Value>,
): Promise<ReloadedValue<Value>> {
  const { what, read, load, isSettlingAwaited = false, compare, sleep, log } = options;
  const { sleepUntilLate = sleepUntilAborted } = options;
  const stop = new AbortController();
  let reading: Promise<string> | undefined;
  let text = await readInTime();
  let value = await load(text);
  const outage = makeOutageLog({ log, ...options.clocks });
  let failure: { text: string | undefined; because: string } | undefined;
  let unsettled = { text, reads: 0 };
  let isAsked = false;

  /** A read that hangs is not begun again: each one would block a thread of the process. */
  async function readInTime(): Promise<string> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    const readOver = new AbortController();
    const late = sleepUntilLate(readWithinMs, AbortSignal.any([stop.signal, readOver.signal]));
    try {
      return await Promise.race([reading, late.then(throwLate)]);
    } finally {
      readOver.abort();
    }
  }

  function throwLate(): never {
    throw configError(
      `Reading the files of the ${what} takes longer than ${readWithinMs / 1_000} seconds; check the file system that they are on.`,
    );
  }

  function isSettled(found: string): boolean {
    const isSame = found === unsettled.text;
    unsettled = { text: found, reads: unsettled.reads + 1 };
    return !isSettlingAwaited || isSame || unsettled.reads >= maxUnsettledReads;
  }

  function noteUnchanged(): void {
    if (!failure && isAsked) log.info({ what }, 'files are unchanged');
    outage.worked({ what }, 'files are valid again; the active version is unchanged');
  }

  function noteFailure(err: Error, found: string | undefined): void {
    // The words of an error can differ from load to load: those of the first load of a text count.
    const isSame = found !== undefined && found === failure?.text;
    const because = isSame && failure ? failure.because : err.message;
    if (because !== failure?.because) reloads.publish({ what, hasFailed: true });
    failure = { text: found, because };
    const text = 'failed to reload changed files; the previous version stays active';
    // The result of a reload that was requested is always logged.
    outage.failed({ what, err }, text, { alarmAfterMs: 0, kind: because, isDue: isAsked });
  }

  async function poll(): Promise<void> {
    let found: string | undefined;
    try {
      found = await readInTime();
      if (found === text) {
        noteUnchanged();
      } else {
        if (!isSettled(found)) return;
        const before = value;
        value = await load(found);
        text = found;
        const facts = { what, ...compare?.(before, value) };
        if (failure) outage.worked(facts, 'reloaded changed files');
        else log.info(facts, 'reloaded changed files');
      }
      unsettled = { text, reads: 0 };
      if (failure) reloads.publish({ what, hasFailed: false });
      failure = undefined;
    } catch (err) {
      if (stop.signal.aborted) return;
      noteFailure(err as Error, found);
    }
    isAsked = false;
  }

  async function pollUntilStopped(): Promise<void> {
    while (true) {
      if ((await sleep(pollIntervalMs, stop.signal)) === 'asked') isAsked = true;
      if (stop.signal.aborted) return;
      await poll();
    }
  }

  const ended = pollUntilStopped();
  return {
    current: () => value,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}
