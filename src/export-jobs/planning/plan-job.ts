import type { Asker, Authorizer } from '#auth/authorization/authorizer.ts';
import { Problem, type Violation } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { CreateExportJob, SliceBy } from './create-export-job.ts';
import { defaultTemplate, faultOf, faultOfLength, renderPrefix } from './destination-prefix.ts';
import { resolveLogGroups } from './log-groups.ts';
import { demandEach, mayExport } from './permission.ts';
import { type PlannedSlice, planSlices } from './plan.ts';
import { readWindow, type Window } from './window.ts';

/** What a job is, with every default applied. Instants are epoch ms. */
export interface PlannedJobFacts extends Window {
  target: string;
  name: string | null;
  priority: number;
  sliceBy: SliceBy;
  destination: string;
  /** The template, as it was sent or the default. */
  destinationPrefix: string;
  logStreamNamePrefix: string | null;
  isUnsettledAllowed: boolean;
  /** What the log groups hold, where CloudWatch Logs was asked for them. */
  logGroupBytes: number | null;
}

/** A job ready to be accepted. */
export interface PlannedJob {
  job: PlannedJobFacts;
  /** In the order of their numbers. */
  slices: PlannedSlice[];
  /** Ids of the policies that permit it. */
  policies: string[];
}

/** What planning needs of the world. */
export interface PlanningOptions {
  target: Pick<OpenTarget, 'name' | 'region' | 'accountId' | 'logs'>;
  /** Now, by the clock of the database, epoch ms. */
  now: number;
  sleep: (ms: number) => Promise<void>;
  jobId: string;
  asker: Asker;
  authorizer: Authorizer;
}

/**
 * Turns a wish into a job and its slices. CloudWatch Logs is asked for a `logGroupNamePrefix` alone,
 * and not before everything else is in order; nothing is said of log groups before they are permitted.
 * @throws Problem invalid-request, not-permitted, no-log-groups, too-many-slices, or what AWS's answer
 * means
 */
export async function planJob(
  body: CreateExportJob,
  { target, now, sleep, jobId, asker, authorizer }: PlanningOptions,
): Promise<PlannedJob> {
  const {
    sliceBy = 'none',
    destinationPrefix: template = defaultTemplate,
    allowUnsettled: isUnsettledAllowed = false,
    destination,
    priority = 0,
    logGroupNamePrefix,
  } = body;
  const window = readWindow(body, { now, isUnsettledAllowed });
  const templateFault = faultOf(template);
  if (Array.isArray(window) || templateFault !== undefined) {
    const ofWindow = Array.isArray(window) ? window : [];
    throw invalidRequest([...ofWindow, ...atPrefix(templateFault)]);
  }

  const { accountId: account, region, name } = target;
  const facts = { account, region, target: name, fromAt: window.fromAt, jobId };
  const mayExportOf = (logGroupName: string) => {
    const destinationPrefix = renderPrefix(template, { ...facts, logGroupName, attempt: 1 });
    const wanted = { logGroupName, destination, destinationPrefix, priority };
    return mayExport(target, { ...wanted, ...window });
  };
  // As if it were a name, before AWS is asked: what there is with a prefix is not everybody's business.
  if (logGroupNamePrefix !== undefined) authorizer.demand(asker, mayExportOf(logGroupNamePrefix));
  const { logGroupNames, storedBytes } = await logGroupsOf(body, target, sleep);
  const policies = await demandEach(
    authorizer,
    asker,
    logGroupNames.map(mayExportOf),
    logGroupNamePrefix === undefined ? undefined : () => someNotPermitted(logGroupNamePrefix),
  );
  const lengthFault = faultOfLength(template, logGroupNames, facts);
  if (lengthFault !== undefined) throw invalidRequest(atPrefix(lengthFault));

  return {
    job: {
      target: target.name,
      name: body.name ?? null,
      priority,
      sliceBy,
      ...window,
      destination,
      destinationPrefix: template,
      logStreamNamePrefix: body.logStreamNamePrefix ?? null,
      isUnsettledAllowed,
      logGroupBytes: storedBytes,
    },
    slices: planSlices({ logGroupNames, window, sliceBy, now, isUnsettledAllowed }),
    policies,
  };
}

function someNotPermitted(prefix: string): Problem {
  const detail = `No policy permits you to export all log groups whose name begins with ${prefix}.`;
  return new Problem('not-permitted', detail);
}

// The schema sees to it that there is one of the two.
async function logGroupsOf(
  { logGroupNames, logGroupNamePrefix = '' }: CreateExportJob,
  { logs }: PlanningOptions['target'],
  sleep: PlanningOptions['sleep'],
): Promise<{ logGroupNames: string[]; storedBytes: number | null }> {
  if (logGroupNames) return { logGroupNames, storedBytes: null };
  return resolveLogGroups(logs, logGroupNamePrefix, { sleep });
}

function atPrefix(detail: string | undefined): Violation[] {
  return detail === undefined ? [] : [{ in: 'body', pointer: '#/destinationPrefix', detail }];
}
