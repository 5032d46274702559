import { nextStart } from '#coverage/ledger/units.ts';
import type { Violation } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import type { Window } from '#time/window.ts';
import { type Instant, readInstant } from '#validation/instant.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { ArchiveDefinition } from '../../archive.ts';
import { isSelected } from '../../partitions/selection.ts';
import type { CreateWaiver } from './waiver-body.ts';

/** A waiver, as it is to be stored. */
export interface PlannedWaiver extends Window {
  logGroupName: string;
  reason: string;
}

/**
 * Reads a waiver from a body. `now` is by the clock of the database. It may begin and end within a partition,
 * because time can be lost in part.
 * @throws Problem invalid-request, with all violations
 */
export function readWaiver(
  { logGroupName, from, to, reason }: CreateWaiver,
  definition: ArchiveDefinition,
  now: number,
): PlannedWaiver {
  const { partitionBy } = definition;
  const violations: Violation[] = [];
  const refuse = (member: string, detail: string) =>
    violations.push({ in: 'body', pointer: `#/${member}`, detail });
  const read = (value: Instant, member: 'from' | 'to') => {
    const reading = readInstant(value);
    if ('at' in reading) return reading.at;
    refuse(member, reading.detail);
    return undefined;
  };
  if (!isSelected(definition, logGroupName))
    refuse('logGroupName', `must be a log group of the archive, but is ${logGroupName}`);
  const fromAt = read(from, 'from');
  const toAt = read(to, 'to');
  const latest = nextStart(now, partitionBy);
  if (toAt !== undefined && toAt > latest)
    refuse('to', `must not be after the end of the current partition, ${toDateTime(latest)}`);
  if (fromAt !== undefined && toAt !== undefined && fromAt >= toAt)
    refuse('from', 'must be before to');
  if (violations.length > 0 || fromAt === undefined || toAt === undefined)
    throw invalidRequest(violations);
  return { logGroupName, fromAt, toAt, reason };
}
