import { setTimeout as delay } from 'node:timers/promises';

import type { EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import { openCluster } from '../cluster.ts';
import { targetsInRegions } from '../cluster-targets.ts';
import { evaluate } from '../evaluate.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';

/** A way to lose the answer to a create. */
export interface LostAnswer {
  name: string;
  fault: DistributiveOmit<Fault, 'operation'>;
  emulator?: EmulatorOptions;
}

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown
  ? Omit<Union, Key>
  : never;

const error = (status: 500 | 503) =>
  ({
    kind: 'error',
    status,
    code: status === 500 ? 'InternalFailure' : 'ServiceUnavailableException',
  }) as const;

/** A1 to A9 took effect, the others did not. The sender cannot tell them apart. */
export const lostAnswers: readonly LostAnswer[] = [
  { name: 'A1 reset, slot busy', fault: { kind: 'reset-after' }, emulator: { runningMs: 1_500 } },
  { name: 'A2 reset, task ended', fault: { kind: 'reset-after' } },
  { name: 'A3 effect, 503', fault: { ...error(503), afterEffect: true } },
  { name: 'A4 effect, 500', fault: { ...error(500), afterEffect: true } },
  { name: 'A5 half a body', fault: { kind: 'cut-body' } },
  { name: 'A6 HTML', fault: { kind: 'replace-body', body: '<html>', contentType: 'text/html' } },
  { name: 'A7 empty body', fault: { kind: 'replace-body', body: '' } },
  { name: 'A8 {}', fault: { kind: 'replace-body', body: '{}' } },
  { name: 'A9 timeout', fault: { kind: 'silence-after' } },
  { name: 'stalled body', fault: { kind: 'stall-body' } },
  { name: 'reset, no effect', fault: { kind: 'reset-before' } },
  { name: 'timeout, no effect', fault: { kind: 'silence-before' } },
  { name: '503, no effect', fault: error(503) },
  { name: '500, no effect', fault: error(500) },
  { name: 'late effect', fault: { kind: 'late-effect', delayMs: 800 } },
];

/** Loses the answers to creates in one way. No replica is killed. */
export function loseAnswers({ fault, emulator }: LostAnswer) {
  return async (options: ScenarioOptions): Promise<ScenarioReport> => {
    const { serverUrl, count, signal, onProgress } = options;
    await using cluster = await openCluster({
      serverUrl,
      signal,
      targets: targetsInRegions(12),
      ...(emulator && { emulator }),
    });
    cluster.emulator.faults.add({ ...fault, operation: 'CreateExportTask', count } as Fault);
    await cluster.put(count);
    for (let left = count; left > 0 && !signal.aborted; await delay(200)) {
      left = cluster.emulator.faults.pending()[0]?.count ?? 0;
      onProgress(count - left);
    }
    return { trials: count, kills: 0, hitsInStarting: 0, ...(await evaluate(cluster, signal)) };
  };
}
