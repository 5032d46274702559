import { readDuration } from '../arguments/read-time.ts';
import type { CommandOptions, CommandTools, GivenWords } from '../command.ts';
import type { GatewayAnswer } from '../connection/answer.ts';
import { timeIsUp } from '../connection/event-stream.ts';
import type { GatewayClient } from '../connection/gateway-client.ts';
import type { Patience } from '../connection/persistence.ts';
import type { JobDocument } from '../documents.ts';
import { exitCodes, isGatewayAway, makeCommandError } from '../exit-codes.ts';
import { hindranceLines } from '../output/job-outcome.ts';
import { progressOf, steadyProgressOf } from '../output/job-texts.ts';
import { jobPath } from './job-path.ts';
import { readHindrance } from './read-hindrance.ts';

// The longest that the API waits for a change.
const maxWaitSeconds = 30;
// A restart of the gateway takes seconds, a new version of it minutes. Lower: a job is left alone by a script
// although it goes on. Higher: the script waits for a gateway that is gone.
const awayMs = { waiting: 300_000, other: 10_000 } as const;
const shortMs = 30_000; // how long a command that does not wait for a job repeats what was refused for now
// A large job changes each second. Lower: the requests use up the limit of the caller. Higher: a problem that only
// later slices have is shown late.
const allPagesMs = 60_000;

/** The option of commands that wait. */
export const timeoutOption = {
  timeout: { value: 'DURATION', description: 'How long to wait: 30s, 10m, 2h. Default: no limit.' },
} satisfies CommandOptions;

/** The option of commands that show a document. */
export const jsonOption = {
  json: { description: "Print the gateway's document as it is." },
} satisfies CommandOptions;

/** The patience of a command that only asks. */
export const shortPatience = (now: number): Patience => ({
  deadline: now + shortMs,
  awayMs: awayMs.other,
});

/** The patience of a command that waits for a job. */
export function longPatience(given: GivenWords, now: number): Patience {
  const timeout = given.text('timeout');
  const deadline = timeout === undefined ? Infinity : now + readDuration('timeout', timeout);
  return { deadline, awayMs: awayMs.waiting };
}

/** The exit code of a job that has ended. */
export const exitCodeOfJob = ({ state }: JobDocument): number =>
  state === 'completed' ? exitCodes.completed : exitCodes.failed;

const hasEnded = ({ state }: JobDocument) => ['completed', 'failed', 'cancelled'].includes(state);

/**
 * Waits until a job has ended, and shows its progress. Returns the answer with its last state. It asks again with
 * the ETag of the last answer, so that a restart of the gateway loses nothing.
 * @throws CommandError of exit code 4 at the deadline, also while the gateway is away
 */
export async function waitForJob(
  jobId: string,
  client: GatewayClient,
  { surroundings: { now }, screen }: CommandTools,
  { deadline, isJson }: { deadline: number; isJson: boolean },
): Promise<GatewayAnswer & { document: JobDocument }> {
  const output = isJson ? 'notes' : 'results';
  let etag: string | undefined;
  let last: string | undefined;
  let allPagesAt = -Infinity;
  const noted = new Set<string>();
  const orTimeIsUp = (error: unknown): never => {
    throw now() >= deadline && isGatewayAway(error) ? timeIsUp(jobId, screen.commandName) : error;
  };
  for (let isFirst = true; ; isFirst = false) {
    const leftSeconds = (deadline - now()) / 1_000;
    if (leftSeconds <= 0) {
      screen.endProgress();
      throw timeIsUp(jobId, screen.commandName);
    }
    const seconds = isFirst ? 0 : Math.min(maxWaitSeconds, Math.max(1, Math.floor(leftSeconds)));
    const request = {
      method: 'GET',
      path: jobPath(jobId) + (isFirst ? '' : `?wait=${seconds}`),
      retryPath: jobPath(jobId),
      ...(etag !== undefined && { headers: { 'if-none-match': etag } }),
      waitMs: seconds * 1_000,
    } as const;
    const answer = await client.send(request, 'sliceCounts').catch(orTimeIsUp);
    if (answer.status === 304) continue;
    etag = answer.etag;
    const job = answer.document as JobDocument;
    const steady = `${job.state} ${steadyProgressOf(job)}`;
    // Estimates change with each answer: only the line of a terminal shows them.
    if (screen.canRedraw(output)) screen.progress(progressOf(job, now()), output);
    else if (steady !== last) screen.progress(steady, output);
    last = steady;
    if (hasEnded(job)) {
      screen.endProgress();
      return { ...answer, document: job };
    }
    const isTimeForAll = now() - allPagesAt >= allPagesMs;
    if (isTimeForAll) allPagesAt = now();
    const pages = isTimeForAll ? undefined : 1;
    const hindrance = await readHindrance(job, client, pages).catch(orTimeIsUp);
    // Each problem once: the gateway tries again and again.
    if (!hindrance || noted.has(hindrance.problem.type)) continue;
    noted.add(hindrance.problem.type);
    screen.note(...hindranceLines(screen, hindrance));
  }
}

/**
 * Runs work that a person may leave with Ctrl-C. The job goes on at the gateway, and `comeBack` says how to find it.
 */
export async function untilInterrupted<Result>(
  { surroundings: { interrupted }, screen }: CommandTools,
  comeBack: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!interrupted.aborted) throw error;
    screen.endProgress();
    throw makeCommandError(exitCodes.interrupted, comeBack);
  }
}
