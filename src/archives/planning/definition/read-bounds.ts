import { nextStart, type PartitionBy, startOf } from '#coverage/ledger/units.ts';
import type { Violation } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import { type Instant, readInstant } from '#validation/instant.ts';

/** A bound of a request, or what is wrong with it. */
type Bound = { at: number } | { violation: Violation };

/** Reads an instant that must be the start of a partition. A mistake names the two next to it. */
export function readBound(value: Instant, member: 'from' | 'to', partitionBy: PartitionBy): Bound {
  const reading = readInstant(value);
  const refuse = (detail: string): Bound => ({
    violation: { in: 'body', pointer: `#/${member}`, detail },
  });
  if (!('at' in reading)) return refuse(reading.detail);
  const { at } = reading;
  const before = startOf(at, partitionBy);
  // 0 is the beginning, also where it is in the middle of a week.
  if (before === at || at === 0) return { at };
  const write = (instant: number) =>
    typeof value === 'string' ? toDateTime(instant) : String(instant);
  const after = nextStart(at, partitionBy);
  return refuse(
    `must be the start of a partition, which is ${unitInWords[partitionBy]} in UTC; the next ones are ${write(before)} and ${write(after)}`,
  );
}

const unitInWords: Record<PartitionBy, string> = {
  hour: 'an hour',
  day: 'a day',
  week: 'a week from Monday on',
  month: 'a month',
};
