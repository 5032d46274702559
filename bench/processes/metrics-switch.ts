// Preloaded into the gateway with --import. Turns the listeners of its metrics on or off, and asks V8.

import { type Channel, channel } from 'node:diagnostics_channel';
import { Session } from 'node:inspector/promises';
import { syncBuiltinESMExports } from 'node:module';
import perfHooks from 'node:perf_hooks';

/** What to do: turn the metrics on or off, or send a command to the inspector. */
export type MetricsMessage = { isOn: boolean } | { method: string; params?: object };

const switches: ((isOn: boolean) => void)[] = [];
let isOn = true;

// Those that publish while a create is served.
const names = ['http-request', 'problem', 'aws-call', 'database-query'];
for (const name of names) catchListener(channel(`log-export-gateway:${name}`));

/** Catches the next listener, which is that of the metrics: a gateway without traces has no other one. */
function catchListener(opened: Channel): void {
  Object.defineProperty(opened, 'subscribe', {
    configurable: true,
    value(listener: Parameters<Channel['subscribe']>[0]) {
      Reflect.deleteProperty(opened, 'subscribe');
      switches.push(
        (isOn) => void (isOn ? opened.subscribe(listener) : opened.unsubscribe(listener)),
      );
      opened.subscribe(listener);
    },
  });
}

const { monitorEventLoopDelay } = perfHooks;
perfHooks.monitorEventLoopDelay = (options) => {
  // Only the first one is of the metrics: the next one is of the overload limit.
  perfHooks.monitorEventLoopDelay = monitorEventLoopDelay;
  syncBuiltinESMExports();
  const delays = monitorEventLoopDelay(options);
  switches.push((isOn) => void (isOn ? delays.enable() : delays.disable()));
  return delays;
};
syncBuiltinESMExports();

const session = new Session();
session.connect();
process.on('message', async (message: MetricsMessage) => {
  if ('method' in message) {
    const post: (method: string, params?: object) => Promise<unknown> = session.post.bind(session);
    process.send?.((await post(message.method, message.params)) ?? {});
    return;
  }
  if (switches.length !== names.length + 1) throw new Error('The metrics are not on.');
  if (message.isOn !== isOn) for (const turn of switches) turn(message.isOn);
  isOn = message.isOn;
  process.send?.({});
});
process.channel?.unref(); // it must not keep the gateway running
