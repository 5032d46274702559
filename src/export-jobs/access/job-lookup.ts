import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { JobVisibility } from '#targets/job-visibility.ts';
import type { Targets } from '#targets/target.ts';
import { type JobCache, makeJobCache } from '../store/reads/job-cache.ts';
import { readHeads, readLogGroups } from '../store/reads/read-heads.ts';
import { readJobs } from '../store/reads/read-jobs.ts';
import { type JobAccess, makeJobAccess } from './job-access.ts';
import { makeJobVisibility } from './job-visibility.ts';

/** The ways to jobs, by who asks. */
export interface JobLookup {
  jobs: JobCache;
  access: JobAccess;
  visibility: JobVisibility;
}

/** Makes the ways to the jobs of a database. Nothing is asked of it before a request is. */
export function makeJobLookup(options: {
  database: Database;
  authorizer: Authorizer;
  targets: Pick<Targets, 'list'>;
  elapsed: () => number;
}): JobLookup {
  const { database, authorizer, targets, elapsed } = options;
  const jobs = makeJobCache({
    readHeads: (jobIds) => readHeads(database, jobIds),
    readJobs: (jobIds) => readJobs(database, jobIds),
  });
  const access = makeJobAccess({
    authorizer,
    listTargets: targets.list,
    headOf: jobs.readHead,
    readLogGroups: (head, from) => readLogGroups(database, head, from),
  });
  return {
    jobs,
    access,
    visibility: makeJobVisibility({ database, access, authorizer, elapsed }),
  };
}
