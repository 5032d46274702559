import { defaultDestinationPrefix, withoutTrailingSlashes } from '#aws/destination-prefix.ts';
import { type TaskParameters, writeTaskParameters } from '../../task-parameters.ts';
import { utc } from '../calendar/wall-clock.ts';
import type { PlannedJob } from '../plan-job.ts';
import type { VerificationMode } from '../verification-mode.ts';
import type { SentWindow } from '../window.ts';

/** What planning needs beside the parameters. */
interface TaskPlanOptions {
  /** The name of the target. */
  target: string;
  /** Now, by the clock of the database, epoch ms. */
  now: number;
  /** The verification of jobs that do not name one. */
  verification: VerificationMode;
  /** The ids of the policies that permit it. */
  policies: string[];
}

/**
 * Plans the job of a CreateExportTask that a client of AWS has sent. It has one slice, which is ready at once and
 * gets the parameters unchanged, with the prefix of `askedPrefixOf`. Its log events are not counted: the window can be one that nobody can count.
 */
export function planTask(
  parameters: TaskParameters,
  { target, now, verification, policies }: TaskPlanOptions,
): PlannedJob {
  const { taskName = null, logGroupName, logStreamNamePrefix = null, destination } = parameters;
  const { fromAt, toAt } = toWindow(parameters);
  const destinationPrefix = askedPrefixOf(parameters);
  return {
    job: {
      target,
      name: taskName,
      priority: 0,
      sliceBy: 'none',
      timeZone: utc,
      fromAt,
      toAt,
      destination,
      prefixTemplate: destinationPrefix,
      logStreamNamePrefix,
      isUnsettledAllowed: true,
      verification: verification === 'count' ? 'objects' : verification,
      taskParameters: writeTaskParameters({ ...parameters, destinationPrefix }),
      logGroupBytes: null,
    },
    logGroupNames: [logGroupName],
    slices: [{ number: 0, logGroupName, fromAt, toAt, notBeforeAt: null, readyAt: now }],
    policies,
  };
}

/**
 * The prefix that a new task is accepted with, and stored as that of its job. The policies decide about it, and clients
 * see it. It is no template. One that is empty without its ending slashes becomes the default of AWS: otherwise the
 * objects would be in the root of the bucket.
 */
export function askedPrefixOf({ destinationPrefix = '' }: TaskParameters): string {
  return withoutTrailingSlashes(destinationPrefix) === ''
    ? defaultDestinationPrefix
    : destinationPrefix;
}

/**
 * The prefix that AWS gets: that of the job, and the id of the job. AWS appends its own task id. So a client that
 * lists the prefix and the task id it knows finds the objects of its task, and no others. Earlier versions stored
 * empty prefixes as they were sent: such a task is exported as it was decided.
 */
export function sentPrefixOf(destinationPrefix: string, jobId: string): string {
  const asked = withoutTrailingSlashes(destinationPrefix);
  return asked === '' ? jobId : `${asked}/${jobId}`;
}

/** The last instant that RFC 3339 can write: the end of the year 9999. */
const lastAt = 253_402_300_799_999n;

/**
 * The window of a task: its parameters, which AWS gets, and the instants for views. Parameters can be later than any
 * instant, and their end can be before their start.
 */
export function toWindow(parameters: TaskParameters): SentWindow {
  const { from, to } = parameters;
  const toInstant = (at: bigint) => Number(at < lastAt ? at : lastAt);
  return { fromAt: toInstant(from), toAt: toInstant(to + 1n), taskParameters: parameters };
}
