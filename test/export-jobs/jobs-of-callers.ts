import { randomUUID } from 'node:crypto';

import type { Audit } from '#audit/audit.ts';
import type { Access } from '#auth/access.ts';
import type { Database } from '#database/database.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { callersBy, principalOf, type Rule } from '../access.ts';
import { planOf } from './accepted-jobs.ts';

/** A rule that a test can replace, as an operator replaces policies. */
export interface Policies {
  access: (audit: Audit) => Access;
  change(rule: Rule): void;
}

/** Makes the access of `callersBy` with a rule that can change. */
export function policiesOf(rule: Rule): Policies {
  let current = rule;
  let version = 1;
  return {
    access(audit) {
      const access = callersBy((...question) => current(...question))(audit);
      const { authorizer } = access;
      return { ...access, authorizer: { ...authorizer, version: () => version } };
    },
    change(other) {
      current = other;
      version += 1;
    },
  };
}

/** The values of a job that matter to a test. */
interface JobOf {
  logGroupNames?: readonly string[];
  days?: number;
  target?: string;
  acceptedAt?: number;
  /** The archive whose partition it exports. Default: none. */
  archiveId?: string;
}

/** Accepts a job of a caller. Returns its id. */
export function jobOf(name: string, database: Database, job: JobOf = {}): Promise<string> {
  const { logGroupNames = ['/app'], days = 1, target = 'default', acceptedAt = 1 } = job;
  const { archiveId } = job;
  const plan = planOf(days, { target });
  const slices = [...plan.slices]
    .flatMap((slice) => logGroupNames.map((logGroupName) => ({ ...slice, logGroupName })))
    .map((slice, number) => ({ ...slice, number }));
  return acceptJob(database, {
    jobId: randomUUID(),
    request: { principal: principalOf(name), id: 'test' },
    acceptedAt,
    keyUse: undefined,
    plan: { ...plan, slices },
    maxWaitingSlices: 0,
    partition: archiveId === undefined ? undefined : { archiveId, incarnation: 1, revision: 2 },
  });
}
