import { type Static, Type } from '@sinclair/typebox';

import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { decisionsAtOnce } from '#auth/authorization/owned-access.ts';
import { inChunks } from '#paging/in-chunks.ts';
import {
  defaultPageLimit,
  maxDecisionsPerPage,
  type Page,
  pageParameters,
  readCursor,
  toCursor,
} from '#paging/page.ts';
import { Text } from '#validation/text.ts';
import { targetNotFound } from './registry/target-entry.ts';
import type { JobVisibility } from './slot/job-visibility.ts';
import { type RedactedSlotStatus, redactSlotStatus } from './slot/redact-slot-status.ts';
import type { SlotReader } from './slot/slot-reader.ts';
import { identityOf, type KnownTarget, TargetStateName, type Targets } from './target.ts';

/** The filter of a list of targets, and its page. */
export type TargetListQuery = Static<typeof TargetListQuery>;
export const TargetListQuery = Type.Object(
  {
    state: Type.Optional({
      ...TargetStateName,
      description: 'Return only targets in this state. Default: all states.',
    }),
    region: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 32,
        rule: 'an AWS Region, 1 to 32 characters',
        description: 'Return only targets in this AWS Region. Default: all Regions.',
      }),
    ),
    accountId: Type.Optional(
      Text({
        minLength: 12,
        maxLength: 12,
        pattern: '^[0-9]{12}$',
        rule: 'an AWS account id of 12 digits',
        description: 'Return only targets of this AWS account. Default: all accounts.',
      }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
);

/** The name of a target, in paths. */
export const TargetParams = Type.Object(
  {
    target: Text({
      minLength: 1,
      maxLength: 64,
      rule: 'the name of a target, 1 to 64 characters',
      description: 'Name of the target.',
      examples: ['default'],
    }),
  },
  { additionalProperties: false },
);

/** Access to targets, decided for the caller. Every operation on targets goes through it. */
export interface TargetAccess {
  /** Reads a page of the targets that the caller may see, in the order of the configuration. */
  list(request: CallerRequest, query: TargetListQuery): Promise<Page<KnownTarget>>;
  /**
   * Finds a target that the caller may see. Any other looks like one that does not exist.
   * @throws Problem target-not-found
   */
  find(request: CallerRequest, name: string): KnownTarget;
  /**
   * Reads the slot of a found target and its queue, without what the caller may not see.
   * @throws Problem when AWS or the database is needed and does not answer
   */
  readStatus(request: CallerRequest, target: KnownTarget): Promise<RedactedSlotStatus>;
}

/** What access to targets needs. */
export interface TargetAccessOptions {
  targets: Targets;
  slots: SlotReader;
  authorizer: Authorizer;
  /** What callers may see of export jobs; absent when jobs are off. */
  visibility: JobVisibility | undefined;
}

/** Makes the access to targets. */
export function makeTargetAccess(options: TargetAccessOptions): TargetAccess {
  const { targets, slots, authorizer, visibility } = options;

  /** Reads targets until the page is full of those that the caller may see. */
  async function readPage(
    request: CallerRequest,
    limit: number,
    filter: TargetFilter,
    from: number,
  ): Promise<Page<KnownTarget>> {
    const entries: KnownTarget[] = [];
    let decisions = 0;
    for await (const chunk of inChunks(matching(filter, from), decisionsAtOnce)) {
      const candidates = chunk.filter(({ target }) =>
        authorizer.mayPermit(request, 'ReadTarget', identityOf(target)),
      );
      const permitted = authorizer.filterPermitted(request, candidates, ({ target }) => ({
        action: 'ReadTarget',
        resource: { target: identityOf(target) },
      }));
      for (const { target, index } of permitted) {
        if (entries.length === limit) return { entries, nextCursor: toCursor([index]) };
        entries.push(target);
      }
      decisions += chunk.length;
      const last = chunk.at(-1);
      if (last && decisions >= maxDecisionsPerPage) {
        return { entries, nextCursor: toCursor([last.index + 1]) };
      }
    }
    return { entries };
  }

  /** The targets that match a filter, each with its place in the configuration. */
  function* matching(
    { state, region, accountId }: TargetFilter,
    from: number,
  ): Generator<{ target: KnownTarget; index: number }> {
    let index = from - 1;
    for (const target of targets.list(from)) {
      index += 1;
      const isMatch =
        (state ?? target.state) === target.state &&
        (region ?? target.region) === target.region &&
        (accountId ?? target.accountId) === target.accountId;
      if (isMatch) yield { target, index };
    }
  }

  return {
    async list(request, { limit = defaultPageLimit, cursor, ...filter }) {
      const [from = 0] = readCursor(cursor, ['number']) ?? [];
      return readPage(request, limit, filter, Math.max(0, from));
    },
    find(request, name) {
      const target = targets.look(name);
      if (!target) throw targetNotFound();
      const resource = { target: identityOf(target) };
      const { isPermitted } = authorizer.decide(request, { action: 'ReadTarget', resource });
      if (!isPermitted) throw targetNotFound();
      return target;
    },
    async readStatus(request, target) {
      const status = await slots.readSlot(target);
      return redactSlotStatus({ authorizer, visibility }, request, identityOf(target), status);
    },
  };
}

type TargetFilter = Pick<TargetListQuery, 'state' | 'region' | 'accountId'>;
