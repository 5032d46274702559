import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';

/** Something made of files, kept up to date with them. */
export interface Reloaded<Value> extends AsyncDisposable {
  current(): Value;
}

/** What is made of which files. */
export interface ReloadedOptions<Value> {
  /** What it is, for the log: "the policies". */
  what: string;
  /** Reads the files, as one text: another text is another content. */
  read: () => Promise<string>;
  /** Makes the value. It throws when the content is not good. */
  load: (text: string) => Value | Promise<Value>;
  sleep: AbortableSleep;
  log: Pick<Log, 'info' | 'error'>;
}

// Files are looked at, not watched: what a platform mounts is often replaced behind a link, on file
// systems that tell of nothing. Sooner costs reads for nothing; later, and a withdrawn key lives on.
const checkIntervalMs = 2_000;
const reportIntervalMs = 60_000;

/**
 * Opens something made of files and makes it anew when they change. What cannot be read or is not
 * good changes nothing: the old value stays, and the log says so until it is mended.
 * @throws what `read` or `load` throw the first time
 */
export async function openReloaded<Value>(
  options: ReloadedOptions<Value>,
): Promise<Reloaded<Value>> {
  const { what, read, load, sleep, log } = options;
  const stop = new AbortController();
  let text = await read();
  let value = await load(text);
  let reportDueInMs = 0;

  async function look(): Promise<void> {
    try {
      const found = await read();
      if (found === text) {
        reportDueInMs = 0;
        return;
      }
      value = await load(found);
      text = found;
      log.info({}, `${what} have changed and are in force`);
      reportDueInMs = 0;
    } catch (err) {
      if (reportDueInMs > 0) return;
      reportDueInMs = reportIntervalMs;
      log.error({ err }, `${what} have changed but are not good: THE OLD ONES STAY IN FORCE`);
    }
  }

  async function followChanges(): Promise<void> {
    while (true) {
      await sleep(checkIntervalMs, stop.signal);
      if (stop.signal.aborted) return;
      reportDueInMs -= checkIntervalMs;
      await look();
    }
  }

  const ended = followChanges();
  return {
    current: () => value,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}
