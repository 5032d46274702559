// Shorter: a target that works every few minutes opens its connections again each time. Longer: the
// clients of Regions without work stay in memory, some hundred KiB each.
const unusedForMs = 5 * 60_000;

/** A client of the SDK that exists only while it is used. */
export interface SharedClient<Client> extends Disposable {
  /** Makes a call with the client. The first call opens it. */
  use<Answer>(call: (client: Client) => Promise<Answer>): Promise<Answer>;
  /** Destroys the client if it was not used for five minutes. */
  closeIfUnused(): void;
}

/** Makes such a client. `elapsed` is a clock that only goes forward, in milliseconds. */
export function makeSharedClient<Client extends { destroy(): void }>(
  open: () => Client,
  elapsed: () => number,
): SharedClient<Client> {
  let client: Client | undefined;
  let inFlight = 0;
  let usedAt = 0;
  let isDisposed = false;

  function close(): void {
    client?.destroy();
    client = undefined;
  }

  return {
    async use(call) {
      if (isDisposed) throw new Error('the clients of AWS are closed');
      client ??= open();
      inFlight += 1;
      try {
        return await call(client);
      } finally {
        inFlight -= 1;
        usedAt = elapsed();
      }
    },
    closeIfUnused() {
      if (inFlight === 0 && elapsed() - usedAt >= unusedForMs) close();
    },
    [Symbol.dispose]() {
      isDisposed = true;
      close();
    },
  };
}
