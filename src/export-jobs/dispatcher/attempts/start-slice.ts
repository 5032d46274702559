import { randomBytes } from 'node:crypto';
import type { CreateOutcome } from '#aws/create-outcome.ts';
import { toAwsProblem } from '#aws/error-meaning.ts';
import { attemptCalls, lostCreates } from '#diagnostics/exports.ts';
import { handOffs } from '#diagnostics/slots.ts';
import { grantOf } from '#export-tasks/authorization-questions.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem } from '#problems/problem.ts';
import { makeMarker } from '#targets/marker.ts';
import { explainRefusal } from '#targets/preflight/explain-refusal.ts';
import { backOffMs } from '#time/back-off.ts';
import { toExportQuestion } from '../../access/export-question.ts';
import { readPrefixTemplate } from '../../planning/prefix-template.ts';
import { sentPrefixOf } from '../../planning/tasks/plan-task.ts';
import { claimNextSlice, type Intent } from '../../store/steps/claim-next-slice.ts';
import { type CallToAws, recordLostAnswer, type Step } from '../../store/steps/record-step.ts';
import type { OwnedSlot } from '../owned-slot.ts';
import { jitteredBackOffMs, slotPauses } from '../pacing/slot-back-off.ts';
import { takenAlarmMs } from '../slot-outages.ts';
import {
  causeScopeOf,
  recordRefusal,
  recordRefusedCaller,
  refuseUnsent,
} from './record-refusal.ts';
import { recordAndAnnounce } from './record-slice-step.ts';
import { toTask } from './same-export.ts';
import { toStored } from './stored-problem.ts';

/**
 * Starts the next slice: records its intent, decides it by the current policies, and sends one
 * CreateExportTask. Returns after how many milliseconds to continue with the slot.
 */
export async function startNextSlice(slot: OwnedSlot): Promise<number> {
  const { target, database, authorizer, lease, timings, installation, elapsed, memory, reach } =
    slot;
  const waitMs = memory.createNotBefore - elapsed();
  if (waitMs > 0) return waitMs;
  // Without policies every waiting slice would fail. So slices wait until there is a policy.
  if (authorizer.isWithoutPolicies()) return timings.idleMs;

  await reach('before-intent');
  const claimBeganAt = elapsed();
  // The transaction renews the lease. Counted from before it, the lease never seems longer than it
  // is. A create that could outlive the lease must not be sent: the next owner would not know of it.
  const sendBefore = claimBeganAt + timings.leaseMs - timings.createDeadlineMs;
  const intent = await claimNextSlice(database, lease, {
    leaseMs: timings.leaseMs,
    makeMarker: (slice) => makeMarker(installation, slice, randomBytes(8).toString('hex')),
    renderPrefix: (prefixTemplate, { jobId, timeZone, revision, taskParameters, ...attempt }) =>
      taskParameters
        ? sentPrefixOf(prefixTemplate, jobId)
        : readPrefixTemplate(prefixTemplate, { target, jobId, timeZone, revision }).render(attempt),
    reachInside: () => reach('in-intent'),
  });
  if (!intent) {
    memory.endedAt = undefined; // the pause until the next slice is no hand-off
    // Unless the finder has found one since.
    if (memory.readyFoundAt <= claimBeganAt) memory.readyAt = Number.POSITIVE_INFINITY;
    return 0;
  }
  memory.sentAt = elapsed();
  slot.onChange(intent.jobId);
  await reach('after-intent');

  // The intent is on disk. So if anything fails from here on, it is reconciled like any lost create.
  const request = { principal: intent.principal, id: intent.marker };
  const { taskParameters, prefixTemplate, destinationPrefix } = intent;
  const question = toExportQuestion(target, {
    ...intent,
    destinationPrefix: taskParameters ? prefixTemplate : destinationPrefix,
  });
  const decision = authorizer.decide(request, question);
  const refusal = decision.isPermitted
    ? await findRefusal(slot, intent)
    : new Problem('not-permitted', 'The policies no longer permit this export.');
  if (refusal) {
    const scope = decision.isPermitted ? 'job' : 'slice';
    const keptMs = elapsed() - claimBeganAt;
    await refuseUnsent(slot, intent, refusal, { scope, policies: decision.policies, keptMs });
    return 0;
  }

  await reach('before-send');
  const sentAt = elapsed();
  publishHandOff(slot, sentAt);
  const outcome = await attemptCalls.run(intent, () =>
    target.logs.createExportTask(toTask(intent), {
      maySend: () => elapsed() < sendBefore,
      caller: intent.caller,
      grant: grantOf(toExportQuestion(target, intent), decision), // with the prefix that AWS gets
    }),
  );
  slot.callSpacing.countWrite();
  await reach('before-outcome');
  return recordOutcome(slot, { ...intent, claimBeganAt, sentAt }, outcome, decision.policies);
}

/**
 * Finds why AWS would refuse every slice of a job, before its first one is sent. If this is wrong, a retry
 * helps: then AWS decides.
 */
async function findRefusal(
  { target, findDestinationRefusal }: OwnedSlot,
  { slice, attempt, destination, caller, taskParameters }: Intent,
): Promise<Problem | undefined> {
  const isFirst = slice === 0 && attempt === 1 && !taskParameters;
  return isFirst ? findDestinationRefusal(target, destination, caller) : undefined;
}

function publishHandOff({ target, memory }: OwnedSlot, sentAt: number): void {
  if (memory.endedAt === undefined) return;
  handOffs.publish({ target: target.name, durationMs: sentAt - memory.endedAt });
  memory.endedAt = undefined;
}

/** An intent that was sent, when its claim began, and when it was sent, by `elapsed`. */
type SentIntent = Intent & { claimBeganAt: number; sentAt: number };

async function recordOutcome(
  slot: OwnedSlot,
  intent: SentIntent,
  result: CreateOutcome,
  policies: readonly string[],
): Promise<number> {
  const { memory, outages, target, database, lease, timings, log } = slot;
  const { jobId, slice, attempt, marker, caller } = intent;
  const create = { action: 'CreateExportTask', policies } as const;
  const ageMs = slot.elapsed() - intent.sentAt;
  const active = { ...intent, state: 'starting', ageMs } as const;
  switch (result.outcome) {
    case 'accepted': {
      const { taskId, awsRequestId } = result;
      const change = { type: 'slice-running', slice, attempt, taskId } as const;
      const by = { ...create, awsRequestId };
      const row = { slice: { misses: 0 }, attempt: { taskId } };
      memory.watch = {
        marker,
        state: 'running',
        since: slot.elapsed(),
        isFromStart: true,
        polls: 0,
        polledAt: 0,
        pollAt: undefined,
      };
      await recordAndAnnounce(slot, active, { to: 'running', ...row, change, by }, 'in-outcome');
      memory.refusals = 0;
      outages.creates.worked({ target: target.name }, 'AWS accepts creates again');
      return 0;
    }
    case 'unknown': {
      // The row stays `starting` until a listing shows the outcome.
      const { cause, answer = toAwsProblem('CreateExportTask', cause) } = result;
      const facts = {
        target: target.name,
        jobId,
        slice,
        attempt,
        marker,
        problem: answer.slug,
        err: cause,
      };
      outages.creates.failed(facts, 'lost the answer to a create');
      lostCreates.publish({ target: target.name });
      const stored = JSON.stringify(toStored(answer));
      await recordLostAnswer(database, lease, timings.leaseMs, intent, stored);
      return 0;
    }
    case 'not-sent':
    case 'refused': {
      const { outcome } = result;
      // A client of AWS gets the words of AWS, and at once.
      const problem = intent.taskParameters
        ? result.problem
        : await explainRefusal(result.problem, target, intent, { caller, log });
      const by = { ...create, awsRequestId: problem.members.awsRequestId, problem: problem.slug };
      if (outcome === 'not-sent' && result.isOfCaller) {
        // More than it was, so that other callers go first.
        const keptMs = slot.elapsed() - intent.claimBeganAt + timings.secondMs;
        await recordRefusedCaller(slot, intent, { problem, by, ageMs, keptMs });
        return 0;
      }
      const isOfSlot = outcome === 'not-sent' || slotProblems.has(problem.slug);
      pauseAfterRefusal(slot, intent, problem, isOfSlot);
      const keptMs = memory.createNotBefore - intent.claimBeganAt;
      if (isOfSlot) {
        const step = returnToQueue(slot, intent, outcome, problem, by);
        await recordAndAnnounce(slot, active, { ...step, keptMs });
      } else {
        const scope = causeScopeOf(result.problem); // the words of AWS, without our explanation
        await recordRefusal(slot, intent, { problem, scope, by, ageMs, keptMs });
      }
      return 0;
    }
  }
}

/** Refusals for reasons of the slot, the role or AWS: they say nothing about the slice. */
const slotProblems = new Set<ProblemSlug>([
  'export-slot-taken',
  'aws-throttled',
  'aws-unavailable',
  'service-role-unusable',
]);

/** The step that puts a slice back into its place in the queue. */
function returnToQueue(
  { memory }: OwnedSlot,
  { slice, attempt }: Intent,
  outcome: 'refused' | 'not-sent',
  problem: Problem,
  by: CallToAws,
): Step {
  if (problem.slug === 'export-slot-taken') memory.isTaken = true;
  return {
    to: 'waiting',
    attempt: { outcome, problem: JSON.stringify(toStored(problem)) },
    change: { type: 'slice-waiting', slice, attempt, readyInMs: 0, problem: problem.slug },
    by,
    isFairShareRestored: true,
  };
}

// A refused role or a throttled account gets growing pauses. A refusal of one slice does not delay
// the next.
function pauseAfterRefusal(
  slot: OwnedSlot,
  { jobId, slice, attempt }: Intent,
  problem: Problem,
  isOfSlot: boolean,
): void {
  const { memory, timings, elapsed, random, outages, target } = slot;
  let pauseMs = timings.secondMs;
  if (problem.slug === 'service-role-not-permitted') {
    // Each attempt fails a slice, and none succeeds before someone has changed a policy.
    pauseMs = backOffMs(memory.refusals++, slotPauses);
  } else if (isOfSlot) {
    pauseMs = jitteredBackOffMs(memory.refusals++, random);
  }
  memory.createNotBefore = elapsed() + pauseMs;
  if (isOfSlot) {
    const { slug, cause: err } = problem;
    const refused = { target: target.name, jobId, slice, attempt };
    const facts = { ...refused, problem: slug, pauseMs: Math.round(pauseMs), err };
    const isTaken = slug === 'export-slot-taken';
    const options = isTaken ? { alarmAfterMs: takenAlarmMs } : {};
    outages.creates.failed(facts, 'AWS refused a create, retrying', options);
  }
}
