import { setImmediate } from 'node:timers/promises';
import { publicErrorOf } from '#aws/error-meaning.ts';
import { isAboutKey } from '#aws/error-table.ts';
import { forPartitions } from '#problems/catalogue/problem-kind.ts';
import type { Problem } from '#problems/problem.ts';
import type { Intent } from '../../store/steps/claim-next-slice.ts';
import type { CauseScope } from '../../store/steps/fail-waiting-slices.ts';
import type { CallToAws } from '../../store/steps/record-step.ts';
import type { OwnedSlot } from '../owned-slot.ts';
import { logFailedSlice, toFailedStep } from './record-failed-attempt.ts';
import { recordAndAnnounce } from './record-slice-step.ts';
import { callerRefused, toStored } from './stored-problem.ts';

/** A refusal that says something about the slice. */
export interface Refusal {
  problem: Problem;
  /** The waiting slices of the job that it ends, too. */
  scope: CauseScope;
  by: CallToAws;
  /** The age of the attempt, in ms. */
  ageMs: number;
  /** How long it kept the slot from others, in ms, from its claim on. */
  keptMs: number;
}

/**
 * Ends a refused slice, and with it the waiting slices of its job that the cause concerns: AWS would refuse
 * each of them for the same cause.
 */
export async function recordRefusal(
  slot: OwnedSlot,
  intent: Intent,
  { problem, scope, by, ageMs, keptMs }: Refusal,
): Promise<void> {
  const { slice, attempt } = intent;
  const { slug } = problem;
  const stored = toStored(problem);
  const text = JSON.stringify(stored);
  const awsError = intent.taskParameters && publicErrorOf('CreateExportTask', problem);
  const others = await recordAndAnnounce(
    slot,
    { ...intent, state: 'starting', ageMs },
    {
      to: 'failed',
      slice: { problem: text },
      attempt: {
        outcome: 'refused',
        problem: text,
        ...(awsError && { awsError: JSON.stringify(awsError) }),
      },
      change: { type: 'slice-failed', slice, attempt, problem: slug },
      by,
      sharedCause: { slug, problem: stored, scope },
      keptMs,
    },
    'in-outcome',
  );
  logFailedSlice(slot, intent, stored, undefined, { others });
}

/**
 * Ends a claimed slice without a create, and with it the waiting slices of its job that the cause concerns. The next
 * slice can start at once.
 */
export async function refuseUnsent(
  slot: OwnedSlot,
  intent: Intent,
  problem: Problem,
  { scope, policies, keptMs }: Pick<Refusal, 'scope' | 'keptMs'> & { policies: readonly string[] },
): Promise<void> {
  const by = { action: 'CreateExportTask', policies, problem: problem.slug } as const;
  await recordRefusal(slot, intent, { problem, scope, by, ageMs: 0, keptMs });
  await setImmediate(); // nothing else waits here: many of these in a row would block all other requests
}

// STS is not asked again sooner. Shorter: an attempt of the slice is used up without a call.
const minPauseMs = 60_000;

/**
 * Puts the slice of a caller whose session STS refused back into the queue after a pause, or ends it as failed.
 * Slices of other callers can start at once.
 */
export async function recordRefusedCaller(
  slot: OwnedSlot,
  intent: Intent,
  { problem, by, ageMs, keptMs }: Omit<Refusal, 'scope'>,
): Promise<void> {
  const resendMs = slot.timings.resendAfterMs[intent.misses];
  const stored = {
    ...toStored(problem),
    detail: callerRefused,
    remedy: `Do nothing while the slice is waiting: it is sent again. If it fails, ask the operator of the service about the trust policy of the role. Then retry the job with POST /export-jobs/{jobId}/retry. ${forPartitions}`,
  };
  const { step, readyInMs } = toFailedStep(
    intent,
    {
      problem: stored,
      count: 'misses',
      pauseMs: resendMs && Math.max(minPauseMs, resendMs),
      attempt: { outcome: 'not-sent' },
      by,
    },
    slot.random,
  );
  await recordAndAnnounce(slot, { ...intent, state: 'starting', ageMs }, { ...step, keptMs });
  logFailedSlice(slot, intent, stored, readyInMs, { err: problem.cause });
  await setImmediate(); // as above
}

/** The waiting slices that AWS would refuse for the same cause. */
export function causeScopeOf({ slug, detail }: Pick<Problem, 'slug' | 'detail'>): CauseScope {
  switch (slug) {
    case 'destination-not-found':
      return 'job';
    case 'destination-not-writable':
      return isAboutPrefix(detail) ? 'log-group-then-job' : 'job';
    case 'service-role-not-permitted':
      return 'log-group-then-job';
    case 'log-group-not-found':
      return 'log-group';
    default:
      return 'slice';
  }
}

/**
 * Whether a policy can allow other prefixes of the bucket. The ACL and the key are of the whole bucket. AWS names its
 * call in the first sentence. Our explanation comes after it, and can name other calls.
 */
function isAboutPrefix(detail: string): boolean {
  return /^[^.]*PutObject/.test(detail) && !isAboutKey(detail);
}
