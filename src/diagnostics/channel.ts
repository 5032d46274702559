import { channel } from 'node:diagnostics_channel';

/** A named channel of node:diagnostics_channel with typed messages. */
export interface Channel<Message> {
  /** Tells all listeners at once. It costs nothing while nobody listens. */
  publish(message: Message): void;
  /** Whether anybody listens. */
  readonly hasSubscribers: boolean;
  /**
   * Calls back with each message, within `publish`. A listener must not throw: Node would report it as an
   * uncaught exception. Returns a function that ends the subscription.
   */
  subscribe(listener: (message: Message) => void): () => void;
}

/** Opens a channel. Its name in Node begins with `log-export-gateway:`. */
export function openChannel<Message>(name: string): Channel<Message> {
  const opened = channel(`log-export-gateway:${name}`);
  return {
    publish: (message) => opened.publish(message),
    get hasSubscribers() {
      return opened.hasSubscribers;
    },
    subscribe(listener) {
      const act = (message: unknown) => listener(message as Message);
      opened.subscribe(act);
      return () => void opened.unsubscribe(act);
    },
  };
}
