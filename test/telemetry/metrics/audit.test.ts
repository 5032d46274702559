import { expect, test } from 'vitest';

import { openAudit } from '#audit/open-audit.ts';
import { writeFailures } from '#diagnostics/lost-lines.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { readExposition } from './exposition.ts';

const silent = { info() {}, warn() {}, error() {} };

test('the age of a failed write of the audit is there at once, and 0 until it is written again', async () => {
  let now = 5_000;
  using metrics = openMetrics({ targets: () => [], elapsed: () => now });
  const read = async () => readExposition(await metrics.render());
  const failedAt = async () => (await read()).value('log_export_audit_failed_age_seconds');
  await using audit = await openAudit('/dev/full', silent);
  const before = await failedAt();

  audit.refusal({ requestId: 'r-1', route: null, error: 'invalid_token' });
  await expect.poll(failedAt).toBe(0);
  now = 65_000;
  const during = await failedAt();
  writeFailures.publish({ output: 'audit', isFailing: false });
  now = 125_000;

  expect([before, during, await failedAt()]).toEqual([undefined, 0, 60]);
  expect((await read()).value('log_export_audit_lines_lost_total')).toBe(0);
});
