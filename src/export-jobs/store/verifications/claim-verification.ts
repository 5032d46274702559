import { type RawBuilder, sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { clockToleranceMs } from '#database/database-clock.ts';
import { engineSql } from '#database/engine-sql.ts';
import { maxPutOffMs, type Place, type VerificationLease, whereDue } from './due-verifications.ts';
import { type Findings, readFindings } from './findings.ts';

/** A verification that this process has taken up, and the export it is about. */
export interface ClaimedVerification extends VerificationLease {
  target: string;
  accountId: string;
  region: string;
  taskId: string;
  /** How long ago the task was seen to be completed, in ms. */
  ageMs: number;
  mode: 'objects' | 'count';
  /** What an earlier look has found, before it was recorded as the end. */
  findings: Findings | undefined;
  caller: string;
  destination: string;
  destinationPrefix: string;
  logStreamNamePrefix: string | null;
  isCancelRequested: boolean;
  /** Whether it was created over the protocol of AWS: then its time range can be any. */
  isTask: boolean;
  /** The partition of an archive that its job exports; null without an archive. */
  archiveId: string | null;
  incarnation: number | null;
  revision: number;
  logGroupName: string;
  fromAt: number;
  toAt: number;
  /** The problem of the slice, as JSON. */
  problem: string | null;
  failures: number;
  misses: number;
  marker: string;
  submittedAt: number;
  taskCreatedAt: number | null;
  taskCompletedAt: number | null;
}

const key = sql`job_id, slice, attempt`;

/** Which verifications may be taken up. */
export interface ClaimScope {
  /** Targets at which none may begin. */
  busyTargets: readonly string[];
  /** Targets at which no count may begin, or `all`. */
  countedTargets: readonly string[] | 'all';
  /** Callers of which none may begin. */
  busyCallers: readonly string[];
  /** Targets at which none of a caller may begin. */
  busyTargetsOf: readonly { caller: string; targets: readonly string[] }[];
  /** Callers whose verifications come last: of these, the caller that was served longest ago is first. */
  served: readonly string[];
  /** Targets that drain here: their successors elsewhere have the same names, and other replicas verify for them. */
  draining: readonly Place[];
}

/**
 * Takes up the verification that is next, and leases it: of the caller that was served longest ago, the one that has
 * been due for longest. `undefined` when none is due that may be taken up.
 */
export async function claimVerification(
  database: Database,
  { owner, leaseMs, scope }: { owner: string; leaseMs: number; scope: ClaimScope },
): Promise<ClaimedVerification | undefined> {
  const { queries, now, kind } = database;
  const whereFree = sql`${whereDue(now(), leaseMs)} ${whereInScope(scope)}`;
  for (const caller of await callersInTurn(database, whereFree, scope)) {
    const { rows } = await sql<Omit<VerificationLease, 'owner'>>`
      with next as materialized (
        select ${key} from verifications where caller = ${caller} and ${whereFree}
        order by due_at limit 1
        ${engineSql[kind].skipLocked}
      )
      update verifications
      set owner = ${owner}, leased_until = ${now()} + ${sql.lit(leaseMs)}, looks = looks + 1
      from next
      where verifications.job_id = next.job_id and verifications.slice = next.slice
      and verifications.attempt = next.attempt
      returning verifications.job_id, verifications.slice, verifications.attempt, looks
    `.execute(queries);
    const [claimed] = rows;
    if (claimed) return readClaim(database, { ...claimed, owner });
  }
  return undefined;
}

/** A caller with open verifications, and since when one is due that may be taken up; null without one. */
interface DueCaller {
  caller: string;
  dueAt: number | null;
}

/** The callers with verifications that may be taken up, the next one first. */
async function callersInTurn(
  database: Database,
  whereFree: RawBuilder<unknown>,
  { served, busyCallers }: ClaimScope,
): Promise<string[]> {
  let callers = await readCallers(database, whereFree, busyCallers);
  if (callers.some(({ caller }) => caller === '')) {
    await nameCallers(database);
    callers = await readCallers(database, whereFree, busyCallers);
  }
  const place = (caller: string) => served.indexOf(caller); // -1 for those that were not served
  return callers
    .flatMap(({ caller, dueAt }) => (caller === '' || dueAt === null ? [] : [{ caller, dueAt }]))
    .sort((one, other) => place(one.caller) - place(other.caller) || one.dueAt - other.dueAt)
    .map(({ caller }) => caller);
}

/**
 * Hops from caller to caller in the index. So the many rows of one neither hide those of another nor are all
 * read. Busy callers are left out.
 */
async function readCallers(
  { queries }: Database,
  whereFree: RawBuilder<unknown>,
  busyCallers: readonly string[],
): Promise<DueCaller[]> {
  const { rows } = await sql<DueCaller>`
    with recursive open(caller) as (
      select (select caller from verifications where ended_at is null order by caller limit 1)
      union all
      select (
        select verifications.caller from verifications
        where ended_at is null and verifications.caller > open.caller
        order by verifications.caller limit 1
      ) from open where caller is not null
    )
    select caller, (
      select due_at from verifications where verifications.caller = open.caller and ${whereFree}
      order by due_at limit 1
    ) as due_at
    from open where caller is not null and ${notIn('caller', busyCallers)}
  `.execute(queries);
  return rows;
}

// Fewer: verifications that an older version began wait for more claims. More: a claim takes longer.
const maxNamed = 1_000;

/** Adds their callers to verifications that an older version began, to some of them if there are many. */
async function nameCallers({ queries, kind }: Database): Promise<void> {
  await sql`
    update verifications set caller = jobs.caller from jobs
    where jobs.id = verifications.job_id and (${key}) in (
      select ${key} from verifications where caller = '' and ended_at is null limit ${sql.lit(maxNamed)}
      ${engineSql[kind].skipLocked}
    )
  `.execute(queries);
}

function whereInScope({
  busyTargets,
  busyTargetsOf,
  countedTargets,
  draining,
}: ClaimScope): RawBuilder<unknown> {
  const noCount = sql`(select verification from jobs where jobs.id = verifications.job_id) <> 'count'`;
  const uncounted =
    countedTargets === 'all' ? noCount : sql`(${notIn('target', countedTargets)} or ${noCount})`;
  const ofCallers = busyTargetsOf.map(
    ({ caller, targets }) => sql`(caller <> ${caller} or ${notIn('target', targets)})`,
  );
  const conditions = [notIn('target', busyTargets), uncounted, ...ofCallers, whereHere(draining)];
  return sql`and ${sql.join(conditions, sql` and `)}`;
}

/** One condition, however many targets drain: SQLite limits the depth of an expression. */
function whereHere(draining: readonly Place[]): RawBuilder<unknown> {
  const names = draining.map(({ name }) => name);
  const places = draining.map((at) => sql`(${at.name}, ${at.accountId}, ${at.region})`);
  const ofDraining = sql`(target, account_id, region) in (values ${sql.join(places)})`;
  return names.length === 0 ? sql`1 = 1` : sql`(${notIn('target', names)} or ${ofDraining})`;
}

const notIn = (column: 'target' | 'caller', values: readonly string[]) =>
  values.length === 0 ? sql`1 = 1` : sql`${sql.ref(column)} not in (${sql.join(values)})`;

async function readClaim(
  { queries, now }: Database,
  lease: VerificationLease,
): Promise<ClaimedVerification> {
  const { verification, taskParameters, cancelRequestedAt, ...row } = await queries
    .selectFrom('verifications')
    .innerJoin('jobs', 'jobs.id', 'verifications.jobId')
    .innerJoin('slices', (join) =>
      join
        .onRef('slices.jobId', '=', 'verifications.jobId')
        .onRef('slices.number', '=', 'verifications.slice'),
    )
    .innerJoin('attempts', (join) =>
      join
        .onRef('attempts.jobId', '=', 'verifications.jobId')
        .onRef('attempts.slice', '=', 'verifications.slice')
        .onRef('attempts.attempt', '=', 'verifications.attempt'),
    )
    .selectAll('verifications')
    .select((of) => [
      of(now(), '-', of.ref('beganAt')).as('ageMs'),
      'jobs.verification',
      'jobs.destination',
      'jobs.logStreamNamePrefix',
      'jobs.taskParameters',
      'jobs.cancelRequestedAt',
      'jobs.archiveId',
      'jobs.incarnation',
      'jobs.revision',
      'slices.logGroupName',
      'slices.fromAt',
      'slices.toAt',
      'slices.problem',
      'slices.failures',
      'slices.misses',
      'attempts.marker',
      'attempts.destinationPrefix',
      'attempts.submittedAt',
      'attempts.taskCreatedAt',
      'attempts.taskCompletedAt',
    ])
    .where('verifications.jobId', '=', lease.jobId)
    .where('verifications.slice', '=', lease.slice)
    .where('verifications.attempt', '=', lease.attempt)
    .executeTakeFirstOrThrow();
  const mode = verification === 'count' ? 'count' : 'objects';
  return {
    ...row,
    ...lease,
    ageMs: toAge(row.ageMs),
    mode,
    isTask: taskParameters !== null,
    isCancelRequested: cancelRequestedAt !== null,
    findings: readFindings(row),
  };
}

/**
 * A beginning in the future is from before the clock of the database was set back. It counts as long ago, as in
 * `whereDue`: otherwise an export without objects is looked at until the clock has caught up.
 */
function toAge(ms: number): number {
  return ms < -clockToleranceMs ? maxPutOffMs : Math.max(0, ms);
}
