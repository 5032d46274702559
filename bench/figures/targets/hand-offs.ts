import type { AwsProcess } from '../../aws.ts';
import type { AwsRecord } from '../../emulated-aws.ts';
import { quantile } from '../../round.ts';

/** The pauses between the end of a task and the next create of its slot, by creates in a time, in seconds. */
function handOffsBetween({ tasks }: AwsRecord, from: number, until: number): number[] {
  return [...Map.groupBy(tasks, ({ slot }) => slot).values()].flatMap((inSlot) =>
    inSlot.flatMap(({ createdAt }, index) => {
      const previous = inSlot[index - 1];
      if (!previous || createdAt < from || createdAt >= until) return [];
      return [(createdAt - (previous.finishedAt ?? Number.NaN)) / 1_000];
    }),
  );
}

/** Waits until there are as many hand-offs as slots, and returns that record. */
export function whenHandedOff(aws: AwsProcess, from: number, slots: number): Promise<AwsRecord> {
  const count = (record: AwsRecord) =>
    handOffsBetween(record, from, Number.POSITIVE_INFINITY).length;
  return aws.readUntil(`${slots} hand-offs`, (record) => count(record) >= slots, {
    pauseMs: 1_000,
    describe: (record) => `${count(record)} hand-offs`,
  });
}

/** Formats the hand-offs by creates in a time, with their goal. */
export function formatHandOffs(record: AwsRecord, from: number, until: number): string {
  const seconds = handOffsBetween(record, from, until);
  const mean = seconds.reduce((sum, each) => sum + each, 0) / seconds.length;
  const p99 = quantile(seconds, 0.99);
  const worst = Math.max(...seconds);
  return `hand-off mean ${mean.toFixed(2)} s (goal ≤ 0.6), p99 ${p99.toFixed(2)} s, worst ${worst.toFixed(2)} s of ${seconds.length}`;
}

/** The rate of calls to AWS for each slot that had a task. */
export function callsPerSecondAndSlot(
  { tasks, calls }: AwsRecord,
  from: number,
  until: number,
): number {
  const slots = new Set(tasks.map(({ slot }) => slot));
  const made = calls.filter(
    ({ at, slot, operation }) =>
      at >= from && at < until && slots.has(slot) && operation.includes('ExportTask'),
  );
  return made.length / ((until - from) / 1_000) / slots.size;
}
