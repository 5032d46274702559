import type { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';

/** A named channel of node:diagnostics_channel with typed messages. */
export interface Channel<Message> {
  /** Tells all listeners at once. It costs nothing while nobody listens. */
  publish(message: Message): void;
  /**
   * Tells all listeners, then calls `act`. What they have bound holds in `act` and in everything that it
   * starts.
   */
  run<Result>(message: Message, act: () => Result): Result;
  /** Whether anybody listens. */
  readonly hasSubscribers: boolean;
  /**
   * Calls back with each message, within `publish`. A listener must not throw: Node would report it as an
   * uncaught exception. Returns a function that ends the subscription.
   */
  subscribe(listener: (message: Message) => void): () => void;
  /** Makes `store` hold what `toValue` returns for a message, while its `run` runs. It must not throw. */
  bind<Value>(store: AsyncLocalStorage<Value>, toValue: (message: Message) => Value): () => void;
}

/** Opens a channel. Its name in Node begins with `log-export-gateway:`. */
export function openChannel<Message>(name: string): Channel<Message> {
  const opened = channel(`log-export-gateway:${name}`);
  return {
    publish: (message) => opened.publish(message),
    run: (message, act) => opened.runStores(message as object, act),
    get hasSubscribers() {
      return opened.hasSubscribers;
    },
    subscribe(listener) {
      const act = (message: unknown) => listener(message as Message);
      opened.subscribe(act);
      return () => void opened.unsubscribe(act);
    },
    bind(store, toValue) {
      opened.bindStore(store, (message) => toValue(message as Message));
      return () => void opened.unbindStore(store);
    },
  };
}
