import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { SliceState } from '#export-jobs/slice.ts';

/** The values of many jobs of one slice. */
interface ManyJobs {
  caller: string;
  jobs: number;
  state: SliceState;
  /** One of this many has another state, from the oldest on. */
  every: number;
  other: SliceState;
  /** Whether an AWS client created them. Default: false. */
  isTask?: boolean;
}

/**
 * Inserts many jobs in few statements, accepted at 1, 2, 3, … Returns the ids of those in the other state, the newest
 * first.
 */
export async function insertManyJobs(
  { queries }: Database,
  { caller, jobs, state, every, other, isTask = false }: ManyJobs,
): Promise<string[]> {
  const prefix = crypto.randomUUID();
  const id = sql`${sql.lit(`${prefix}-`)} || i`;
  const stateOf = sql`case when i % ${sql.lit(every)} = 1 then ${sql.lit(other)} else ${sql.lit(state)} end`;
  const numbers = sql`with recursive numbers(i) as (
    select 1 union all select i + 1 from numbers where i < ${sql.lit(jobs)}
  )`;
  const isOpen = sql`${stateOf} in ('waiting', 'starting', 'running', 'cancelling', 'verifying')`;
  await sql`
    insert into jobs (
      id, target, caller, priority, slice_by, from_at, to_at, destination, destination_prefix,
      is_unsettled_allowed, accepted_at, ended_at, task_parameters
    )
    ${numbers} select
      ${id}, 'default', ${sql.lit(caller)}, 0, 'none', 0, 1, 'archive', 'exports',
      0, i, case when ${isOpen} then null else 1 end, ${sql.raw(isTask ? "'{}'" : 'null')}
    from numbers`.execute(queries);
  await sql`
    insert into slices (
      job_id, number, target, caller, priority, log_group_name, from_at, to_at, ready_at, state
    )
    ${numbers} select
      ${id}, 0, 'default', ${sql.lit(caller)}, 0, '/app', 0, 1, 1, ${stateOf}
    from numbers`.execute(queries);
  await sql`
    insert into events (job_id, version, at, type, data)
    ${numbers} select ${id}, 0, 1, 'job-accepted', '{}' from numbers`.execute(queries);
  const others: string[] = [];
  for (let i = 1; i <= jobs; i += every) others.unshift(`${prefix}-${i}`);
  return others;
}
