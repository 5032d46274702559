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
  /** Ends early, without an error, when the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  log: { info(facts: object, text: string): void; error(facts: object, text: string): void };
}

// Files are looked at, not watched: what a platform mounts is often replaced behind a link, on file
// systems that tell of nothing. Sooner costs reads for nothing; later, and a withdrawn key lives on.
const lookEveryMs = 2_000;
const complainEveryMs = 60_000;

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
  let complaintDueInMs = 0;

  async function look(): Promise<void> {
    try {
      const found = await read();
      if (found === text) {
        complaintDueInMs = 0;
        return;
      }
      value = await load(found);
      text = found;
      log.info({}, `${what} have changed and are in force`);
      complaintDueInMs = 0;
    } catch (err) {
      if (complaintDueInMs > 0) return;
      complaintDueInMs = complainEveryMs;
      log.error({ err }, `${what} have changed but are not good: THE OLD ONES STAY IN FORCE`);
    }
  }

  async function followChanges(): Promise<void> {
    while (true) {
      await sleep(lookEveryMs, stop.signal);
      if (stop.signal.aborted) return;
      complaintDueInMs -= lookEveryMs;
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
