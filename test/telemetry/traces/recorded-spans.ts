import { openTraces, type TracesOptions } from '#telemetry/traces/open-traces.ts';
import { openReceiver, type ReceivedSpan } from './receiver.ts';

const log = { info() {}, warn() {}, error() {} };

/** Options of traces that record everything. */
const tracesOptions: TracesOptions = {
  sampler: 'parentbased_always_on',
  ratio: 1,
  serviceName: 'log-export-gateway',
  serviceVersion: '0.0.0',
  instanceId: 'test',
  now: Date.now,
  elapsed: () => performance.now(),
  log,
};

/** Returns the spans that a receiver gets while `act` runs. */
export async function spansDuring(
  act: () => Promise<unknown>,
  options: Partial<TracesOptions> = {},
): Promise<ReceivedSpan[]> {
  await using receiver = await openReceiver();
  const traces = openTraces({ ...tracesOptions, ...options });
  try {
    await act();
  } finally {
    await traces[Symbol.asyncDispose](); // sends what is left
  }
  return receiver.spans;
}
