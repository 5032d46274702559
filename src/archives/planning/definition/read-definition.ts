import { startOf } from '#coverage/ledger/units.ts';
import type { Violation } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { ArchiveDefinition } from '../../archive.ts';
import { heartbeatUrlFault } from '../../heartbeat/heartbeat-url.ts';
import { defaultArchiveTemplate, templateFaultOf } from './archive-template.ts';
import { archiveDefaults, type CreateArchive } from './create-archive-body.ts';
import { readBound } from './read-bounds.ts';

/** What reading a definition needs beside the body. */
export interface ReadDefinitionOptions {
  /** Now, by the clock of the database, epoch ms. */
  now: number;
  /** The origins that heartbeats may go to. */
  heartbeatOrigins: readonly string[];
}

/**
 * Reads the definition of an archive from a body, with all defaults.
 * @throws Problem invalid-request, with all violations
 */
export function readDefinition(
  body: CreateArchive,
  { now, heartbeatOrigins }: ReadDefinitionOptions,
): ArchiveDefinition {
  const { partitionBy = archiveDefaults.partitionBy } = body;
  const { refreshDays = archiveDefaults.refreshDays, heartbeatUrl, logGroupNames } = body;
  const { destinationPrefix = defaultArchiveTemplate(partitionBy) } = body;
  const { exceptLogGroupNamePrefixes = [] } = body;
  const violations: Violation[] = [];
  const refuse = (member: keyof CreateArchive, detail: string | undefined) => {
    if (detail !== undefined) violations.push({ in: 'body', pointer: `#/${member}`, detail });
  };
  const read = (member: 'from' | 'to') => {
    const value = body[member];
    if (value === undefined) return undefined;
    const bound = readBound(value, member, partitionBy);
    if ('at' in bound) return bound.at;
    violations.push(bound.violation);
    return undefined;
  };

  const fromAt = read('from') ?? startOf(now, partitionBy);
  const toAt = read('to') ?? null;
  if (toAt !== null && toAt <= fromAt)
    refuse('to', `must be after from, which is ${toDateTime(fromAt)}`);
  if (logGroupNames && exceptLogGroupNamePrefixes.length > 0)
    refuse('exceptLogGroupNamePrefixes', 'must be absent with logGroupNames');
  const hasOneLogGroup = logGroupNames?.length === 1;
  const use = { partitionBy, refreshDays, hasOneLogGroup };
  refuse('destinationPrefix', templateFaultOf(destinationPrefix, use));
  if (heartbeatUrl !== undefined)
    refuse('heartbeatUrl', heartbeatUrlFault(heartbeatUrl, heartbeatOrigins));
  if (violations.length > 0) throw invalidRequest(violations);

  return {
    logGroupNames: logGroupNames ?? null,
    logGroupNamePrefix: body.logGroupNamePrefix ?? null,
    exceptLogGroupNamePrefixes,
    partitionBy,
    fromAt,
    toAt,
    destination: body.destination,
    destinationPrefix,
    priority: body.priority ?? archiveDefaults.priority,
    refreshDays,
    catchUpDays: body.catchUpDays ?? null,
    verification: body.verification ?? archiveDefaults.verification,
    heartbeatUrl: heartbeatUrl ?? null,
    isOverloadAllowed: body.allowOverload ?? false,
  };
}
