import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';

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
  sleep: AbortableSleep;
  log: Pick<Log, 'info' | 'error'>;
}

// Files are polled, not watched: platforms replace mounted files behind a link, on file systems that
// send no events. Lower: useless reads. Higher: a withdrawn key stays valid longer.
const pollIntervalMs = 2_000;
// How often an invalid file is logged. Lower: the log fills up. Higher: an operator may miss it.
const errorIntervalMs = 60_000;
// The reads after which files that never stop changing are loaded anyway. Fewer: files that are copied
// slowly are loaded half. More: such files hide a withdrawn permission longer.
const maxUnsettledReads = 5;

/**
 * Loads a value from files, and loads it again when they change. An invalid file is ignored: the
 * previous version stays active and an error is logged until it is fixed.
 * @throws what `read` or `load` throw the first time
 */
export async function openReloadedValue<Value>(
  options: ReloadedValueOptions<Value>,
): Promise<ReloadedValue<Value>> {
  const { what, read, load, isSettlingAwaited = false, sleep, log } = options;
  const stop = new AbortController();
  let text = await read();
  let value = await load(text);
  let errorDueInMs = 0;
  let unsettled = { text, reads: 0 };

  function isSettled(found: string): boolean {
    const isSame = found === unsettled.text;
    unsettled = { text: found, reads: unsettled.reads + 1 };
    return !isSettlingAwaited || isSame || unsettled.reads >= maxUnsettledReads;
  }

  async function poll(): Promise<void> {
    try {
      const found = await read();
      if (found === text) {
        unsettled = { text, reads: 0 };
        errorDueInMs = 0;
        return;
      }
      if (!isSettled(found)) return;
      value = await load(found);
      text = found;
      unsettled = { text, reads: 0 };
      log.info({ what }, 'reloaded changed files');
      errorDueInMs = 0;
    } catch (err) {
      if (errorDueInMs > 0) return;
      errorDueInMs = errorIntervalMs;
      log.error({ what, err }, 'failed to reload changed files; the previous version stays active');
    }
  }

  async function pollUntilStopped(): Promise<void> {
    while (true) {
      await sleep(pollIntervalMs, stop.signal);
      if (stop.signal.aborted) return;
      errorDueInMs -= pollIntervalMs;
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
