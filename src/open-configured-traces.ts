import { randomUUID } from 'node:crypto';

import type { TracesConfig } from '#config/traces/read-traces.ts';
import { documentBase } from '#openapi/document.ts';
import type { Log } from '#telemetry/log.ts';

/** Opens the traces. Disposing of them sends the last spans. */
export async function openConfiguredTraces(
  config: TracesConfig,
  { elapsed, log }: { elapsed: () => number; log: Log },
): Promise<AsyncDisposable> {
  // Loaded on demand: it takes a quarter of a second and 10 MiB.
  const { openTraces } = await import('#telemetry/traces/open-traces.ts');
  return openTraces({
    ...config,
    serviceVersion: documentBase.info.version,
    instanceId: randomUUID(),
    now: Date.now,
    elapsed,
    log,
  });
}
