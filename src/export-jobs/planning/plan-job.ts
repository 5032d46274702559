import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { Problem, type Violation } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { invalidRequest } from '#validation/violations.ts';
import { requireEach, toExportQuestion } from '../access/export-question.ts';
import { isTimeZone, utc } from './calendar/wall-clock.ts';
import type { CreateExportJob, SliceBy } from './create-export-job.ts';
import { defaultTemplate, faultOf, readTemplate } from './destination-prefix.ts';
import { resolveLogGroups } from './log-groups.ts';
import { type PlannedSlices, planSlices } from './plan.ts';
import { readWindow, type Window } from './window.ts';

/** What a job is, with every default applied. Instants are epoch ms. */
export interface PlannedJobFacts extends Window {
  target: string;
  name: string | null;
  priority: number;
  sliceBy: SliceBy;
  /** IANA name of the time zone whose calendar it is cut at, and of the times in its prefix. */
  timeZone: string;
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
  logGroupNames: readonly string[];
  slices: PlannedSlices;
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
  request: CallerRequest;
  authorizer: Authorizer;
}

/**
 * Turns a wish into a job and its slices. What the body says is looked at first, by its length alone;
 * then it is decided of log group by log group, up to the first no; and cut after that. CloudWatch
 * Logs is asked for a `logGroupNamePrefix` alone, and not before everything else is in order; nothing
 * is said of log groups before they are permitted.
 * @throws Problem invalid-request, not-permitted, no-log-groups, too-many-slices, or what AWS's answer
 * means
 */
export async function planJob(
  body: CreateExportJob,
  { target, now, sleep, jobId, request, authorizer }: PlanningOptions,
): Promise<PlannedJob> {
  const {
    sliceBy = 'none',
    timeZone = utc,
    destinationPrefix: template = defaultTemplate,
    allowUnsettled: isUnsettledAllowed = false,
    destination,
    priority = 0,
    logGroupNamePrefix,
  } = body;
  const window = readWindow(body, { now, isUnsettledAllowed });
  const templateFault = faultOf(template);
  const zoneFault = isTimeZone(timeZone) ? undefined : noTimeZone;
  if (Array.isArray(window) || templateFault !== undefined || zoneFault !== undefined) {
    const ofWindow = Array.isArray(window) ? window : [];
    const others = [...at('timeZone', zoneFault), ...at('destinationPrefix', templateFault)];
    throw invalidRequest([...ofWindow, ...others]);
  }

  const prefixes = readTemplate(template, { target, jobId, timeZone });
  const refuseUnfit = (logGroupName: string) => {
    const fault = prefixes.faultFor(logGroupName);
    if (fault !== undefined) throw invalidRequest(at('destinationPrefix', fault));
  };
  const questionOf = (logGroupName: string) => {
    const { fromAt } = window;
    const destinationPrefix = prefixes.render({ logGroupName, fromAt, attempt: 1 });
    const wanted = { logGroupName, destination, destinationPrefix, priority };
    return toExportQuestion(target, { ...wanted, ...window });
  };
  for (const name of body.logGroupNames ?? []) refuseUnfit(name);
  // As if it were a name, before AWS is asked: what there is with a prefix is not everybody's business.
  if (logGroupNamePrefix !== undefined) authorizer.require(request, questionOf(logGroupNamePrefix));
  const { logGroupNames, storedBytes } = await logGroupsOf(body, target, {
    sleep,
    caller: request.principal.id,
  });
  function* questions() {
    for (const logGroupName of logGroupNames) {
      yield questionOf(logGroupName);
      refuseUnfit(logGroupName); // once it is permitted: AWS may have named it, not the caller
    }
  }
  const policies = await requireEach(
    authorizer,
    request,
    questions(),
    logGroupNamePrefix === undefined ? undefined : () => someNotPermitted(logGroupNamePrefix),
  );

  return {
    job: {
      target: target.name,
      name: body.name ?? null,
      priority,
      sliceBy,
      timeZone,
      ...window,
      destination,
      destinationPrefix: template,
      logStreamNamePrefix: body.logStreamNamePrefix ?? null,
      isUnsettledAllowed,
      logGroupBytes: storedBytes,
    },
    logGroupNames,
    slices: await planSlices({
      ...{ logGroupNames, window, sliceBy, timeZone, now, isUnsettledAllowed },
    }),
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
  how: Pick<PlanningOptions, 'sleep'> & { caller: string },
): Promise<{ logGroupNames: string[]; storedBytes: number | null }> {
  if (logGroupNames) return { logGroupNames, storedBytes: null };
  return resolveLogGroups(logs, logGroupNamePrefix, how);
}

const noTimeZone =
  'must be the IANA name of a time zone, such as Europe/Berlin; abbreviations and offsets are not supported';

function at(member: string, detail: string | undefined): Violation[] {
  return detail === undefined ? [] : [{ in: 'body', pointer: `#/${member}`, detail }];
}
