import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { JobSight } from '#targets/job-sight.ts';
import type { Targets } from '#targets/target.ts';
import { readJobs } from '../job-store/reads.ts';
import { readHeads, readLogGroups } from '../job-store/requests/heads.ts';
import { type JobAccess, makeJobAccess } from './job-access.ts';
import { type JobReadings, makeJobReadings } from './job-readings.ts';
import { makeJobSight } from './slot/job-sight.ts';

/** The ways to jobs, by who asks. */
export interface JobWays {
  readings: JobReadings;
  access: JobAccess;
  sight: JobSight;
}

/** Makes the ways to the jobs of a database. Nothing is asked of it before a request is. */
export function makeJobWays(options: {
  database: Database;
  authorizer: Authorizer;
  targets: Pick<Targets, 'list'>;
  elapsed: () => number;
}): JobWays {
  const { database, authorizer, targets, elapsed } = options;
  const readings = makeJobReadings({
    readHeads: (jobIds) => readHeads(database, jobIds),
    readJobs: (jobIds) => readJobs(database, jobIds),
  });
  const access = makeJobAccess({
    authorizer,
    listTargets: targets.list,
    headOf: readings.headOf,
    readLogGroups: (head, from) => readLogGroups(database, head, from),
  });
  return { readings, access, sight: makeJobSight({ database, access, authorizer, elapsed }) };
}
