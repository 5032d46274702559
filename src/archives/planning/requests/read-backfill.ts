import { startOf } from '#coverage/ledger/units.ts';
import type { Violation } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import type { Window } from '#time/window.ts';
import type { Instant } from '#validation/instant.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { ArchiveDefinition } from '../../archive.ts';
import { isSelected } from '../../partitions/selection.ts';
import type { ArchiveQuestions } from '../archive-questions.ts';
import { readBound } from '../definition/read-bounds.ts';
import type { CreateBackfill } from './backfill-body.ts';

/** A backfill with all defaults applied. */
export interface PlannedBackfill extends Window {
  /** Null: all log groups of the archive. */
  logGroupNames: readonly string[] | null;
  reprocess: NonNullable<CreateBackfill['reprocess']>;
  order: NonNullable<CreateBackfill['order']>;
}

/** What reading a backfill needs beside the body and the archive. */
interface ReadBackfillOptions extends Pick<ArchiveQuestions, 'faultFor'> {
  /** Now, by the clock of the database, epoch ms. */
  now: number;
}

/**
 * Reads a backfill from a body.
 * @throws Problem invalid-request, with all violations
 */
export function readBackfill(
  { from, to, logGroupNames, reprocess = 'missing', order = 'oldest' }: CreateBackfill,
  definition: ArchiveDefinition,
  { now, faultFor }: ReadBackfillOptions,
): PlannedBackfill {
  const { partitionBy } = definition;
  const violations: Violation[] = [];
  const refuse = (member: string, detail: string) =>
    violations.push({ in: 'body', pointer: `#/${member}`, detail });
  const read = (value: Instant, member: 'from' | 'to') => {
    const bound = readBound(value, member, partitionBy);
    if ('at' in bound) return bound.at;
    violations.push(bound.violation);
    return undefined;
  };
  const fromAt = read(from, 'from');
  const toAt = read(to, 'to');
  const latest = startOf(now, partitionBy);
  if (toAt !== undefined && toAt > latest)
    refuse('to', `must not be after the start of the current partition, ${toDateTime(latest)}`);
  if (fromAt !== undefined && toAt !== undefined && fromAt >= toAt)
    refuse('from', 'must be before to');
  for (const [index, name] of (logGroupNames ?? []).entries()) {
    const member = `logGroupNames/${index}`;
    const fault = faultFor(name);
    if (!isSelected(definition, name))
      refuse(member, `must be a log group of the archive, but is ${name}`);
    else if (fault !== undefined)
      refuse(member, `must fit destinationPrefix of the archive, which ${fault}`);
  }
  if (violations.length > 0 || fromAt === undefined || toAt === undefined)
    throw invalidRequest(violations);
  return { fromAt, toAt, logGroupNames: logGroupNames ?? null, reprocess, order };
}
