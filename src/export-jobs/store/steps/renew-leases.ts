import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { Lease } from './hold-lease.ts';

/** The leases of a process that are lost, and the time on the database's clock; undefined if all are lost. */
export interface Renewal {
  lost: Lease[];
  now: number | undefined;
}

/** Renews all leases of a process, at least one, in one statement. */
export async function renewLeases(
  database: Database,
  owner: string,
  leases: readonly Lease[],
  leaseMs: number,
): Promise<Renewal> {
  const renew = database.kind === 'sqlite' ? renewInSqlite : renewInPostgres;
  const targets = leases.map(({ target }) => target);
  const rows = await renew(database, owner, targets, leaseMs);
  const fences = new Map(rows.map(({ target, fence }) => [target, fence]));
  const lost = leases.filter(({ target, fence }) => fences.get(target) !== fence);
  return { lost, now: rows[0]?.now };
}

interface HeldRow {
  target: string;
  fence: number;
  now: number;
}

type Renew = (
  database: Database,
  owner: string,
  targets: string[],
  leaseMs: number,
) => Promise<HeldRow[]>;

const renewInSqlite: Renew = async ({ queries, now }, owner, targets, leaseMs) => {
  const { rows } = await sql<HeldRow>`
    update slots set leased_until = ${now()} + ${sql.lit(leaseMs)}
    where owner = ${owner} and target in (${sql.join(targets)})
    returning target, fence, leased_until - ${sql.lit(leaseMs)} as now
  `.execute(queries);
  return rows;
};

// A row that is locked is skipped: a transaction of its worker holds it, and has renewed it. Otherwise
// one slow transaction would keep all other leases from being renewed.
const renewInPostgres: Renew = async ({ queries, now }, owner, targets, leaseMs) => {
  const { rows } = await sql<HeldRow>`
    with unlocked as (
      select target from slots where owner = ${owner} and target = any(${targets})
      for update skip locked
    ),
    renewed as (
      update slots set leased_until = ${now()} + ${sql.lit(leaseMs)}
      from unlocked where slots.target = unlocked.target
    )
    select target, fence, ${now()} as now from slots
    where owner = ${owner} and target = any(${targets})
  `.execute(queries);
  return rows;
};
