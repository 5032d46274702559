import { createHash } from 'node:crypto';

import type { Queries } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';

/** A caller's Idempotency-Key, and the request it came with. */
export interface KeyUse {
  key: string;
  /** The digest of the request, from `digestOf`. */
  digest: string;
}

/**
 * Computes the digest that identifies a request: SHA-256 of its JSON, whatever the order of its
 * members.
 */
export function digestOf(request: unknown): string {
  const inOrder = (_name: string, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return createHash('sha256').update(JSON.stringify(request, inOrder)).digest('base64url');
}

/** The new job that keys are for. */
interface JobOfKeys {
  jobId: string;
  caller: string;
  createdAt: number;
}

/**
 * Writes the keys of a request for a new job. If one of them has a job already, all are for that job, and its id is
 * returned: the last key decides. A concurrent request with one of the keys waits here until the first one commits.
 * @throws Problem idempotency-key-reused, when a key came with another request
 */
export async function claimKeys(
  queries: Queries,
  keyUses: readonly KeyUse[],
  { jobId, caller, createdAt }: JobOfKeys,
): Promise<string | undefined> {
  let known: string | undefined;
  for (const keyUse of keyUses) {
    let owner: string | undefined;
    while (owner === undefined) {
      const written = await queries
        .insertInto('idempotencyKeys')
        .values({ ...keyUse, caller, jobId, createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .returning('jobId')
        .executeTakeFirst();
      // Undefined if the key was deleted between the two statements: then it is free.
      owner = written?.jobId ?? (await findJobOfKey(queries, caller, keyUse));
    }
    if (owner !== jobId) known = owner;
  }
  if (known !== undefined && keyUses.length > 1) {
    const keys = keyUses.map(({ key }) => key);
    await queries
      .updateTable('idempotencyKeys')
      .set({ jobId: known })
      .where('caller', '=', caller)
      .where('key', 'in', keys)
      .where('jobId', '=', jobId)
      .execute();
  }
  return known;
}

/**
 * Finds the job of a caller's key; `undefined` when the key is new.
 * @throws Problem idempotency-key-reused, when the key came with another request
 */
export async function findJobOfKey(
  queries: Queries,
  caller: string,
  { key, digest }: KeyUse,
): Promise<string | undefined> {
  const known = await queries
    .selectFrom('idempotencyKeys')
    .select(['digest', 'jobId'])
    .where('caller', '=', caller)
    .where('key', '=', key)
    .executeTakeFirst();
  if (known && known.digest !== digest) {
    const detail = 'This key was used before with a different body or target.';
    throw new Problem('idempotency-key-reused', detail);
  }
  return known?.jobId;
}
