import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { JobVisibility } from '#targets/slot/job-visibility.ts';
import type { Targets } from '#targets/target.ts';
import { type JobCache, makeJobCache } from '../store/reads/job-cache.ts';
import { findJobs, readLogGroups } from '../store/reads/read-heads.ts';
import { readJobs } from '../store/reads/read-jobs.ts';
import { type JobAccess, makeJobAccess } from './job-access.ts';
import { makeJobVisibility } from './job-visibility.ts';

/** Everything that looks up jobs for a caller. */
export interface JobLookup {
  jobCache: JobCache;
  access: JobAccess;
  visibility: JobVisibility;
}

/** Makes the lookup of the jobs in a database. It queries nothing before the first request. */
export function makeJobLookup(options: {
  database: Database;
  authorizer: Authorizer;
  targets: Pick<Targets, 'look'>;
  elapsed: () => number;
}): JobLookup {
  const { database, authorizer, targets, elapsed } = options;
  const jobCache = makeJobCache({
    findJobs: (jobIds) => findJobs(database, jobIds),
    readJobs: (jobIds) => readJobs(database, jobIds),
  });
  const access = makeJobAccess({
    authorizer,
    lookTarget: targets.look,
    findJob: jobCache.find,
    readLogGroups: (head, from) => readLogGroups(database, head, from),
  });
  return {
    jobCache,
    access,
    visibility: makeJobVisibility({ database, access, authorizer, elapsed }),
  };
}
