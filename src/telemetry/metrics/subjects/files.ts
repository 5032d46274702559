import { type LineOutput, lostLines, writeFailures } from '#diagnostics/lost-lines.ts';
import { reloads } from '#diagnostics/reloads.ts';
import type { Instruments } from '../instruments.ts';

/** The label of each kind of files that are read again. */
const labelOf: Record<string, string> = {
  policies: 'policies',
  'API keys': 'keys',
  'TLS certificates': 'certificates',
  targets: 'targets',
};

/** Counts failed reloads of files, and lost lines of the log and the audit. */
export function countFileFailures(instruments: Instruments): void {
  const { counter, gauge, listen } = instruments;
  const failures = counter({
    name: 'log_export_reload_failures_total',
    help: 'Changes of files that were invalid, so that the previous version stayed active, by kind of file.',
    labelNames: ['file'],
  });
  const failed = gauge({
    name: 'log_export_reload_failed',
    help: 'Whether a changed file is invalid, so that its previous version stays active: 1 or 0, by kind of file.',
    labelNames: ['file'],
  });
  for (const file of Object.values(labelOf)) {
    failures.inc({ file }, 0);
    failed.set({ file }, 0);
  }
  listen(reloads, ({ what, hasFailed }) => {
    const file = labelOf[what];
    if (file === undefined) return;
    if (hasFailed) failures.inc({ file });
    failed.set({ file }, hasFailed ? 1 : 0);
  });

  countLostLines('audit', instruments);
  countLostLines('log', instruments);
}

function countLostLines(counted: LineOutput, instruments: Instruments): void {
  const { counter, gauge, listen, beforeScrape, elapsed } = instruments;
  const lost = counter({
    name: `log_export_${counted}_lines_lost_total`,
    help: `Lines of the ${counted} that were lost because they could not be written.`,
  });
  listen(lostLines, ({ output, lines }) => {
    if (output === counted) lost.inc(lines);
  });
  const failed = gauge({
    name: `log_export_${counted}_failed_age_seconds`,
    help: `Time since the ${counted} could not be written last, in seconds. Absent if it always could since the start.`,
  });
  let isFailingNow = false;
  let failedAt: number | undefined;
  failed.remove();
  listen(writeFailures, ({ output, isFailing }) => {
    if (output !== counted) return;
    isFailingNow = isFailing;
    if (isFailing) failedAt = elapsed();
  });
  // A failure lasts until something is written.
  beforeScrape(() => {
    if (isFailingNow) failedAt = elapsed();
    if (failedAt !== undefined) failed.set((elapsed() - failedAt) / 1_000);
  });
}
