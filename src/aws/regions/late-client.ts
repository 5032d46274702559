/** A client of the SDK that is loaded at its first use. */
export interface LateClient<Client> {
  get(): Promise<Client>;
  destroy(): void;
}

/** Makes such a client. `open` loads the SDK. */
export function makeLateClient<Opened extends { client: { destroy(): void } }>(
  open: () => Promise<Opened>,
): LateClient<Opened> {
  let opening: Promise<Opened> | undefined;
  return {
    get() {
      opening ??= open().catch((error) => {
        opening = undefined; // the next call tries again
        throw error;
      });
      return opening;
    },
    destroy() {
      opening?.then(({ client }) => client.destroy()).catch(() => {});
    },
  };
}
