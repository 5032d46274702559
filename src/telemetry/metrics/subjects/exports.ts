import {
  completedTasks,
  deletedJobs,
  lostCreates,
  orphanedTasks,
  reconciledCreates,
  sliceEnds,
  verificationEnds,
} from '#diagnostics/exports.ts';
import type { Instruments } from '../instruments.ts';
import { makeTargetTally } from '../target-tally.ts';

const outcomes = ['completed', 'failed', 'cancelled', 'split'] as const;
const results = ['created', 'not-created', 'unknown'] as const;
const verificationResults = ['complete', 'empty', 'incomplete', 'skipped'] as const;

/** Measures what becomes of slices, their tasks and their creates. */
export function measureExports(instruments: Instruments): void {
  const { counter, gauge, histogram, listen, beforeScrape, beforeScrapeOfTargets, elapsed } =
    instruments;
  const secondsSince = (at: number) => (elapsed() - at) / 1_000;
  const ended = counter({
    name: 'log_export_slices_ended_total',
    help: 'Slices that have ended, by outcome. A slice that is retried ends again.',
    labelNames: ['outcome'],
  });
  const endedOfTargets = makeTargetTally(instruments, {
    name: 'log_export_target_slices_ended_total',
    help: 'Slices of a target that have ended, by outcome. A slice that is retried ends again.',
    label: 'outcome',
    values: outcomes,
  });
  for (const outcome of outcomes) ended.inc({ outcome }, 0);
  const failed = gauge({
    name: 'log_export_slice_failed_age_seconds',
    help: 'Time since a slice failed last, in seconds. Absent if none has failed since the start.',
  });
  const failedOfTargets = gauge({
    name: 'log_export_target_slice_failed_age_seconds',
    help: 'Time since a slice of a target failed last, in seconds.',
    labelNames: ['target'],
  });
  const failedAt = new Map<string, number>();
  let lastFailedAt: number | undefined;
  failed.remove();
  listen(sliceEnds, ({ target, outcome, slices }) => {
    ended.inc({ outcome }, slices);
    endedOfTargets.add(target, outcome, slices);
    if (outcome !== 'failed') return;
    lastFailedAt = elapsed();
    failedAt.set(target, lastFailedAt);
  });
  beforeScrape((targets) => {
    const configured = new Set(targets.map(({ name }) => name));
    for (const target of failedAt.keys()) if (!configured.has(target)) failedAt.delete(target);
    if (lastFailedAt !== undefined) failed.set(secondsSince(lastFailedAt));
  });
  beforeScrapeOfTargets((targets) => {
    failedOfTargets.reset();
    for (const { name: target } of targets) {
      const at = failedAt.get(target);
      if (at !== undefined) failedOfTargets.set({ target }, secondsSince(at));
    }
  });

  const durations = histogram({
    name: 'log_export_task_duration_seconds',
    help: 'Duration of completed export tasks of slices by the clock of AWS, in seconds.',
    buckets: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200],
  });
  listen(completedTasks, ({ durationMs }) => durations.observe(durationMs / 1_000));

  const verified = counter({
    name: 'log_export_verifications_total',
    help: 'Verifications of exports that have ended, by result. `skipped`: the service role may not list the bucket.',
    labelNames: ['result'],
  });
  const verificationDurations = histogram({
    name: 'log_export_verification_duration_seconds',
    help: 'Time from the end of an export task, as it was noticed, to the end of its verification, in seconds.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
  });
  for (const result of verificationResults) verified.inc({ result }, 0);
  listen(verificationEnds, ({ result, durationMs }) => {
    verified.inc({ result });
    verificationDurations.observe(durationMs / 1_000);
  });

  const lost = counter({
    name: 'log_export_creates_without_answer_total',
    help: 'CreateExportTask calls that were sent and got no clear answer.',
  });
  listen(lostCreates, () => lost.inc());

  const reconciled = counter({
    name: 'log_export_creates_reconciled_total',
    help: 'Creates without an answer that were looked up at AWS, by result.',
    labelNames: ['result'],
  });
  for (const result of results) reconciled.inc({ result }, 0);
  listen(reconciledCreates, ({ result }) => reconciled.inc({ result }));

  const orphans = counter({
    name: 'log_export_orphaned_tasks_total',
    help: 'Export tasks of ours that no slice knows, found by the orphan sweep.',
  });
  const orphanFound = gauge({
    name: 'log_export_orphan_found_age_seconds',
    help: 'Time since an orphaned task was found last, in seconds. Absent if none was since the start.',
  });
  let orphanFoundAt: number | undefined;
  orphanFound.remove();
  listen(orphanedTasks, () => {
    orphans.inc();
    orphanFoundAt = elapsed();
  });
  beforeScrape(() => {
    if (orphanFoundAt !== undefined) orphanFound.set(secondsSince(orphanFoundAt));
  });

  const deleted = counter({
    name: 'log_export_deleted_jobs_total',
    help: 'Finished jobs that were deleted because they are old.',
  });
  listen(deletedJobs, ({ jobs }) => deleted.inc(jobs));
}
