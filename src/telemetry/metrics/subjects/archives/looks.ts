import { heartbeatEnds, lookEnds } from '#diagnostics/exports.ts';
import type { Instruments } from '../../instruments.ts';

/** Measures looks at archives, and counts their heartbeats. */
export function measureLooks({ counter, histogram, listen }: Instruments): void {
  const looks = counter({
    name: 'log_export_archive_looks_total',
    help: 'Looks at archives that have ended, by result.',
    labelNames: ['result'],
  });
  const durations = histogram({
    name: 'log_export_archive_look_duration_seconds',
    help: 'Duration of looks at archives, with their calls to AWS, in seconds.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  });
  for (const result of ['completed', 'failed']) looks.inc({ result }, 0);
  listen(lookEnds, ({ result, durationMs }) => {
    looks.inc({ result });
    durations.observe(durationMs / 1_000);
  });

  const heartbeats = counter({
    name: 'log_export_heartbeats_total',
    help: 'Heartbeats of archives, by outcome. `refused`: the origin or an address is not allowed.',
    labelNames: ['outcome'],
  });
  for (const outcome of ['delivered', 'refused', 'failed']) heartbeats.inc({ outcome }, 0);
  listen(heartbeatEnds, ({ outcome }) => heartbeats.inc({ outcome }));
}
