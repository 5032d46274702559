import { auditFailures, lostAuditLines } from '#diagnostics/audit-lines.ts';
import { reloads } from '#diagnostics/reloads.ts';
import type { Instruments } from '../instruments.ts';

/** The label of each kind of files that are read again. */
const labelOf: Record<string, string> = {
  policies: 'policies',
  'API keys': 'keys',
  'TLS certificates': 'certificates',
  targets: 'targets',
};

/** Counts failed reloads of files, and lost lines of the audit. */
export function countFileFailures(instruments: Instruments): void {
  const { counter, gauge, listen, beforeScrape, elapsed } = instruments;
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

  const lost = counter({
    name: 'log_export_audit_lines_lost_total',
    help: 'Audit lines that were lost because they could not be written.',
  });
  listen(lostAuditLines, ({ lines }) => lost.inc(lines));
  const auditFailed = gauge({
    name: 'log_export_audit_failed_age_seconds',
    help: 'Time since the audit could not be written last, in seconds. Absent if it always could since the start.',
  });
  let isAuditFailing = false;
  let auditFailedAt: number | undefined;
  auditFailed.remove();
  listen(auditFailures, ({ isFailing }) => {
    isAuditFailing = isFailing;
    if (isFailing) auditFailedAt = elapsed();
  });
  // A failure lasts until something is written.
  beforeScrape(() => {
    if (isAuditFailing) auditFailedAt = elapsed();
    if (auditFailedAt !== undefined) auditFailed.set((elapsed() - auditFailedAt) / 1_000);
  });
}
