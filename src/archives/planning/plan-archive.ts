import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import type { Database } from '#database/database.ts';
import { requireEach } from '#export-jobs/access/export-question.ts';
import { prefixNotPermitted } from '#export-jobs/planning/plan-job.ts';
import type { Warning } from '#export-tasks/export-task.ts';
import type { OpenTarget } from '#targets/target.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { makeArchiveQuestions } from './archive-questions.ts';
import type { CreateArchive } from './definition/create-archive-body.ts';
import { readDefinition } from './definition/read-definition.ts';
import { type ArchiveLoad, estimateLoad } from './load.ts';
import { lookUpLogGroupsOf } from './look-up-log-groups.ts';
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
  const { logGroupNames, logGroupNamePrefix } = definition;
  const { faultFor, toQuestion } = makeArchiveQuestions(target, archiveId, definition);
  const requireFit = (logGroupName: string) => {
    const detail = faultFor(logGroupName);
    if (detail !== undefined)
      throw invalidRequest([{ in: 'body', pointer: '#/destinationPrefix', detail }]);
  };
  for (const name of logGroupNames ?? []) requireFit(name);
  // A prefix is decided like a name, before AWS is called: not every caller may learn its log groups.
  if (logGroupNamePrefix !== null) authorizer.require(request, toQuestion(logGroupNamePrefix));
  const named = await requireEach(authorizer, request, logGroupNames ?? [], toQuestion);
  const lookedUp = await lookUpLogGroupsOf(target.logs, definition, {
    elapsed: options.elapsed,
    sleep: options.sleep,
    caller: request.principal.id,
  });
  const found = lookedUp.found.map(({ logGroupName }) => logGroupName);
  const listed =
    logGroupNamePrefix === null
      ? []
      : await requireEach(authorizer, request, fittingNames(), toQuestion, () =>
          prefixNotPermitted(logGroupNamePrefix),
        );

  refuseImpossible(lookedUp.found, definition);
  const load = await estimateLoad(database, target.name, definition, found, archiveId);
  refuseOverload(load, definition);
  const isShared = await sharesPrefixes(database, target.name, definition, archiveId);
  return {
    name: body.name,
    definition,
    logGroups: lookedUp.found,
    load,
    warnings: warningsOfPlan(definition, lookedUp, { load, isShared, now }),
    policies: [...new Set([...named, ...listed])],
  };

  function* fittingNames() {
    for (const name of found) {
      yield name;
      requireFit(name); // only once it is permitted: the caller may not know this name
    }
  }
}
