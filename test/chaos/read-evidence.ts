import type { Database } from '#database/database.ts';
import type { Evidence } from './checker.ts';

/** What is on record outside of the database. */
export type OutsideRecord = Pick<
  Evidence,
  | 'accepted'
  | 'cancelled'
  | 'expectedToFail'
  | 'calls'
  | 'observedCreates'
  | 'tasks'
  | 'targets'
  | 'absences'
  | 'objects'
  | 'hasOldReplicas'
>;

/** Reads the records of the database, and adds those of AWS and the clients. */
export async function readEvidence(
  { queries }: Database,
  outside: OutsideRecord,
): Promise<Evidence> {
  const { id } = await queries.selectFrom('installation').select('id').executeTakeFirstOrThrow();
  return {
    ...outside,
    installation: id,
    jobs: await queries.selectFrom('jobs').selectAll().execute(),
    slices: await queries.selectFrom('slices').selectAll().execute(),
    attempts: await queries.selectFrom('attempts').selectAll().execute(),
    events: await queries.selectFrom('events').selectAll().execute(),
    orphans: await queries.selectFrom('strays').selectAll().execute(),
    idempotencyKeys: await queries.selectFrom('idempotencyKeys').selectAll().execute(),
    verifications: await queries.selectFrom('verifications').selectAll().execute(),
    auditEntries: await queries.selectFrom('auditEntries').selectAll().execute(),
  };
}
