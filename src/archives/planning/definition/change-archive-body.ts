import { type Static, type TSchema, Type } from '@sinclair/typebox';

import type { Violation } from '#problems/problem.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { ArchiveDefinition } from '../../archive.ts';
import {
  archiveMembers,
  type CreateArchive,
  logGroupPrefixDescription,
} from './create-archive-body.ts';

/** A member that can be null. Without its default: generated clients send a default for an absent member. */
const Nullable = <Schema extends TSchema>({ default: _default, ...schema }: Schema) =>
  Type.Optional(Type.Unsafe<Static<Schema> | null>({ ...schema, 'x-nullable': true }));

/** The body of PATCH /archives/{archiveId}: a JSON merge patch (RFC 7396). */
export type ChangeArchive = Static<typeof ChangeArchive>;
export const ChangeArchive = Type.Object(
  {
    name: Nullable(archiveMembers.name),
    logGroupNames: Nullable({
      ...archiveMembers.logGroupNames,
      description:
        'Names of the log groups to archive. They replace `logGroupNamePrefix`, if the archive has one.',
    }),
    logGroupNamePrefix: Nullable({
      ...archiveMembers.logGroupNamePrefix,
      description: `${logGroupPrefixDescription} It replaces \`logGroupNames\`, if the archive has them.`,
    }),
    exceptLogGroupNamePrefixes: Nullable(archiveMembers.exceptLogGroupNamePrefixes),
    to: Nullable(archiveMembers.to),
    destination: Nullable(archiveMembers.destination),
    destinationPrefix: Nullable(archiveMembers.destinationPrefix),
    priority: Nullable(archiveMembers.priority),
    refreshDays: Nullable(archiveMembers.refreshDays),
    catchUpDays: Nullable(archiveMembers.catchUpDays),
    verification: Nullable(archiveMembers.verification),
    heartbeatUrl: Nullable(archiveMembers.heartbeatUrl),
    allowOverload: Nullable(archiveMembers.allowOverload),
  },
  {
    title: 'ChangeArchive',
    additionalProperties: false,
    description:
      'The members of an archive to change. An absent member stays as it is. `null` has the effect of an absent member in POST /archives. So a member that is required there must not be `null`. The target, `partitionBy` and `from` never change: for earlier log events, request a backfill.',
    'x-rule': 'a JSON object with the members to change',
    'x-fixed': {
      target: 'for another target, create a new archive',
      partitionBy: 'for another unit, create a new archive',
      from: 'for earlier partitions, request a backfill',
    },
    examples: [{ priority: 0, refreshDays: 3 }],
  },
);

/**
 * Applies a patch to an archive. Returns the body that would create the result.
 * @throws Problem invalid-request, if a member is missing that has no default
 */
export function patchArchive(
  { name, definition }: { name: string; definition: ArchiveDefinition },
  patch: ChangeArchive,
): CreateArchive {
  const { fromAt, toAt, isOverloadAllowed, ...members } = definition;
  const current = { name, ...members, from: fromAt, to: toAt, allowOverload: isOverloadAllowed };
  const patched = {
    ...current,
    ...(patch.logGroupNames && { logGroupNamePrefix: null }),
    ...(patch.logGroupNamePrefix && { logGroupNames: null }),
    ...patch,
  };
  const { logGroupNames, logGroupNamePrefix } = patched;
  const violations: Violation[] = [];
  const refuse = (member: keyof ChangeArchive, detail: string) =>
    violations.push({ in: 'body', pointer: `#/${member}`, detail });
  if (patched.name === null) refuse('name', 'must not be null: it has no default');
  if (patched.destination === null) refuse('destination', 'must not be null: it has no default');
  if (logGroupNames === null && logGroupNamePrefix === null) {
    const [member, other] =
      patch.logGroupNames === null
        ? (['logGroupNames', 'logGroupNamePrefix'] as const)
        : (['logGroupNamePrefix', 'logGroupNames'] as const);
    refuse(member, `must not be null without ${other}: an archive has exactly one of them`);
  }
  if (logGroupNames !== null && logGroupNamePrefix !== null)
    refuse('logGroupNames', 'must be absent with logGroupNamePrefix: an archive has one of them');
  if (violations.length > 0) throw invalidRequest(violations);
  const present = Object.entries(patched).filter(([, value]) => value !== null);
  return Object.fromEntries(present) as CreateArchive;
}
