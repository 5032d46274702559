import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Violation } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { Window } from '#time/window.ts';
import { invalidRequest } from '#validation/violations.ts';
import { toExportQuestion } from '../access/export-question.ts';
import { requireLogGroups } from '../access/require-log-groups.ts';
import type { SliceBy } from './calendar/slice-units.ts';
import { isTimeZone, utc } from './calendar/wall-clock.ts';
import type { CreateExportJob } from './create-export-job-body.ts';
import { type PlannedSlices, planSlices } from './plan-slices.ts';
import { defaultTemplateOf, faultOf, readPrefixTemplate } from './prefix-template.ts';
import { type ListingOptions, resolveLogGroups } from './resolve-log-groups.ts';
import type { VerificationMode } from './verification-mode.ts';
import { readWindow } from './window.ts';

/** The values of a job, with all defaults applied. Instants are epoch ms. */
export interface PlannedJobFacts extends Window {
  target: string;
  name: string | null;
  priority: number;
  sliceBy: SliceBy;
  /** The IANA name of the time zone of `sliceBy` and of the times in the destination prefixes. */
  timeZone: string;
  destination: string;
  /** The template of the destination prefixes: the one in the request, or the default. */
  prefixTemplate: string;
  logStreamNamePrefix: string | null;
  isUnsettledAllowed: boolean;
  verification: VerificationMode;
  /** What the caller sent over the protocol of AWS, as JSON. Absent or null for every other job. */
  taskParameters?: string | null;
  /** The stored bytes of the log groups; null when CloudWatch Logs was not asked for them. */
  logGroupBytes: number | null;
}

/** A job ready to be accepted. */
export interface PlannedJob {
  job: PlannedJobFacts;
  logGroupNames: readonly string[];
  slices: PlannedSlices;
  /** The ids of the policies that permit it. */
  policies: string[];
}

/** What planning needs beside the body. */
export interface PlanningOptions {
  target: Pick<OpenTarget, 'name' | 'region' | 'accountId' | 'logs'>;
  /** Now, by the clock of the database, epoch ms. */
  now: number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
  jobId: string;
  request: CallerRequest;
  authorizer: Authorizer;
  /** The verification of jobs that do not name one. */
  verification: VerificationMode;
}

/**
 * Plans a job and its slices. The steps are in the order of their cost, and no answer names a log group
 * that is not permitted: it checks the body, then asks CloudWatch Logs for the log groups of a
 * `logGroupNamePrefix`, then decides log group by log group up to the first refusal, then makes slices.
 * @throws Problem invalid-request, not-permitted, no-log-groups, too-many-slices, or what AWS's answer
 * means
 */
export async function planJob(
  body: CreateExportJob,
  options: PlanningOptions,
): Promise<PlannedJob> {
  const { target, now, elapsed, sleep, jobId, request, authorizer } = options;
  const {
    sliceBy = 'none',
    timeZone = utc,
    destinationPrefix: prefixTemplate = defaultTemplateOf(sliceBy),
    allowUnsettled: isUnsettledAllowed = false,
    verification = options.verification,
    destination,
    priority = 0,
  } = body;
  const window = readWindow(body, { now, isUnsettledAllowed });
  const templateFault = faultOf(prefixTemplate);
  const zoneFault = isTimeZone(timeZone) ? undefined : unknownTimeZone;
  if (Array.isArray(window) || templateFault !== undefined || zoneFault !== undefined) {
    throw invalidRequest([
      ...(Array.isArray(window) ? window : []),
      ...violation('timeZone', zoneFault),
      ...violation('destinationPrefix', templateFault),
    ]);
  }

  const template = readPrefixTemplate(prefixTemplate, { target, jobId, timeZone });
  const requireFit = (logGroupName: string) => {
    const fault = template.faultFor(logGroupName);
    if (fault !== undefined) throw invalidRequest(violation('destinationPrefix', fault));
  };
  const toQuestion = (logGroupName: string) => {
    const { fromAt } = window;
    const destinationPrefix = template.render({ logGroupName, fromAt, attempt: 1 });
    const wanted = { logGroupName, destination, destinationPrefix, priority };
    return toExportQuestion(target, { ...wanted, ...window });
  };
  const listing: ListingOptions = {
    elapsed,
    sleep,
    caller: request.principal.id,
    mayName: (name) => authorizer.filterPermitted(request, [name], toQuestion).length > 0,
  };
  const { listed, policies } = await requireLogGroups(
    body,
    { authorizer, request, toQuestion, requireFit },
    () => logGroupsOf(body, target, listing),
    ({ logGroupNames }) => logGroupNames,
  );
  const { logGroupNames, storedBytes } = listed;

  return {
    job: {
      target: target.name,
      name: body.name ?? null,
      priority,
      sliceBy,
      timeZone,
      ...window,
      destination,
      prefixTemplate,
      logStreamNamePrefix: body.logStreamNamePrefix ?? null,
      isUnsettledAllowed,
      verification,
      logGroupBytes: storedBytes,
    },
    logGroupNames,
    slices: await planSlices({
      logGroupNames,
      window,
      sliceBy,
      timeZone,
      now,
      isUnsettledAllowed,
    }),
    policies,
  };
}

// The schema requires one of the two.
async function logGroupsOf(
  { logGroupNames, logGroupNamePrefix = '' }: CreateExportJob,
  { logs }: PlanningOptions['target'],
  options: ListingOptions,
): Promise<{ logGroupNames: string[]; storedBytes: number | null }> {
  if (logGroupNames) return { logGroupNames, storedBytes: null };
  return resolveLogGroups(logs, logGroupNamePrefix, options);
}

const unknownTimeZone =
  'must be the IANA name of a time zone, such as Europe/Berlin; abbreviations and offsets are not supported';

function violation(member: string, detail: string | undefined): Violation[] {
  return detail === undefined ? [] : [{ in: 'body', pointer: `#/${member}`, detail }];
}
