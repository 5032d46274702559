import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import type { Database } from '#database/database.ts';
import { requireLogGroups } from '#export-jobs/access/require-log-groups.ts';
import type { Warning } from '#export-tasks/export-task.ts';
import type { OpenTarget } from '#targets/target.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { makeArchiveQuestions } from './archive-questions.ts';
import type { CreateArchive } from './definition/create-archive-body.ts';
import { readDefinition } from './definition/read-definition.ts';
import { type ArchiveLoad, estimateLoad } from './load.ts';
import { type LookedUpLogGroups, lookUpLogGroupsOf } from './look-up-log-groups.ts';
import { refuseOverload, warningsOfPlan } from './plan-warnings.ts';
import { refuseImpossible } from './retention.ts';
import { sharesPrefixes } from './shared-prefixes.ts';

/** An archive ready to be accepted. */
export interface PlannedArchive {
  name: string;
  definition: ArchiveDefinition;
  /** Its log groups that exist now. */
  logGroups: readonly LogGroup[];
  load: ArchiveLoad;
  warnings: Warning[];
  /** The ids of the policies that permit it. */
  policies: string[];
}

/** What planning needs beside the body. */
export interface ArchivePlanningOptions {
  database: Database;
  target: Pick<OpenTarget, 'name' | 'region' | 'accountId' | 'logs'>;
  /** Now, by the clock of the database, epoch ms. */
  now: number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
  archiveId: string;
  request: CallerRequest;
  authorizer: Authorizer;
  /** The origins that heartbeats may go to. */
  heartbeatOrigins: readonly string[];
}

/**
 * Plans an archive. The steps are in the order of their cost, and no answer names a log group that is not
 * permitted: it checks the body, then asks CloudWatch Logs for the log groups, then decides log group by log
 * group up to the first refusal, then looks at retention and load.
 * @throws Problem invalid-request, not-permitted, no-log-groups, archive-impossible, archive-overload, or
 * what AWS's answer means
 */
export async function planArchive(
  body: CreateArchive,
  options: ArchivePlanningOptions,
): Promise<PlannedArchive> {
  const { database, target, now, request, authorizer, archiveId } = options;
  const definition = readDefinition(body, options);
  const { faultFor, toQuestion } = makeArchiveQuestions(target, archiveId, definition);
  const requireFit = (logGroupName: string) => {
    const detail = faultFor(logGroupName);
    if (detail !== undefined)
      throw invalidRequest([{ in: 'body', pointer: '#/destinationPrefix', detail }]);
  };
  const { elapsed, sleep } = options;
  const { listed, policies } = await requireLogGroups(
    definition,
    { authorizer, request, toQuestion, requireFit },
    () =>
      lookUpLogGroupsOf(target.logs, definition, { elapsed, sleep, caller: request.principal.id }),
    namesOf,
  );

  refuseImpossible(listed.found, definition);
  const found = namesOf(listed);
  const load = await estimateLoad(database, target.name, definition, found, archiveId);
  refuseOverload(load, definition);
  const isShared = await sharesPrefixes(database, target.name, definition, archiveId);
  return {
    name: body.name,
    definition,
    logGroups: listed.found,
    load,
    warnings: warningsOfPlan(definition, listed, { load, isShared, now }),
    policies,
  };
}

const namesOf = ({ found }: LookedUpLogGroups) => found.map(({ logGroupName }) => logGroupName);
