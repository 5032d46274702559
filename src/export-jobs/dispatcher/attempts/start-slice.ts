import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

import type { CreateOutcome } from '#aws/create-outcome.ts';
import { toAwsProblem } from '#aws/error-meaning.ts';
import type { CreateExportTaskInput } from '#aws/export-task.ts';
import { grantOf } from '#export-tasks/authorization-questions.ts';
import { withBucketPolicy } from '#export-tasks/creating/bucket-policy.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem } from '#problems/problem.ts';
import { makeMarker } from '#targets/marker.ts';
import { backOffMs } from '#time/back-off.ts';
import { toExportQuestion } from '../../access/export-question.ts';
import { readTemplate } from '../../planning/destination-prefix.ts';
import { toInclusive } from '../../planning/window.ts';
import { claimNextSlice, type Intent } from '../../store/steps/claim-next-slice.ts';
import { type CallToAws, recordLostAnswer, type Step } from '../../store/steps/record-step.ts';
import { jitteredBackOffMs, type OwnedSlot, record, slotPauses, toStored } from '../slot.ts';
import { isAlarmDue, troubleAt } from '../trouble.ts';

/**
 * Starts the next slice: its intent is on disk before CreateExportTask is sent, once, if the policies
 * of this moment permit it. Returns after how many milliseconds to look at the slot again.
 */
export async function startNextSlice(slot: OwnedSlot): Promise<number> {
  const { target, database, authorizer, lease, limits, installation, elapsed, memory, reach } =
    slot;
  const waitMs = memory.createNotBefore - elapsed();
  if (waitMs > 0) return waitMs;

  await reach('before-intent');
  // The lease is renewed in the transaction; reckoned from before it, ours never seems longer than
  // it is. A create that might outlive it must not be sent: the next owner would not see it coming.
  const sendBefore = elapsed() + limits.leaseMs - limits.createDeadlineMs;
  const intent = await claimNextSlice(database, lease, {
    leaseMs: limits.leaseMs,
    makeMarker: (slice) => makeMarker(installation, slice, randomBytes(8).toString('hex')),
    renderPrefix: (template, { jobId, timeZone, ...attempt }) =>
      readTemplate(template, { target, jobId, timeZone }).render(attempt),
    reachInside: () => reach('in-intent'),
  });
  if (!intent) return limits.idleMs;
  slot.onChange(intent.jobId);
  await reach('after-intent');

  // The intent is on disk, so whatever happens here is settled like any other create.
  const request = { principal: intent.principal, id: intent.marker };
  const question = toExportQuestion(target, intent);
  const decision = authorizer.decide(request, question);
  if (!decision.isPermitted) return recordDenial(slot, intent, decision.policies);

  await reach('before-send');
  const sentAt = elapsed();
  const outcome = await target.logs.createExportTask(toTask(intent), {
    maySend: () => elapsed() < sendBefore,
    caller: intent.caller,
    grant: grantOf(question, decision),
  });
  slot.callSpacing.count();
  await reach('before-outcome');
  return recordOutcome(slot, { ...intent, sentAt }, outcome, decision.policies);
}

/** What was permitted when the job was accepted is not any more. AWS is not asked, and the next goes on. */
async function recordDenial(
  slot: OwnedSlot,
  intent: Intent,
  policies: readonly string[],
): Promise<number> {
  const { log, target } = slot;
  const { jobId, slice, attempt } = intent;
  const problem = new Problem('not-permitted', 'The policies no longer permit this export.');
  const facts = { target: target.name, jobId, slice, attempt, problem: problem.slug };
  log.info(facts, 'the policies refused a slice');
  const by = { action: 'CreateExportTask', policies, problem: problem.slug } as const;
  const active = { ...intent, state: 'starting' } as const;
  await record(slot, active, refusedFor(intent, problem, by), 'in-outcome');
  await setImmediate(); // nobody was waited for: without this, many in a row would keep out everybody else
  return 0;
}

function toTask(intent: Intent): CreateExportTaskInput {
  const { marker, logGroupName, destination, destinationPrefix } = intent;
  return {
    taskName: marker,
    logGroupName,
    ...(intent.logStreamNamePrefix !== null && { logStreamNamePrefix: intent.logStreamNamePrefix }),
    ...toInclusive(intent),
    destination,
    destinationPrefix,
  };
}

/** An intent that was sent, and when, by `elapsed`. */
type SentIntent = Intent & { sentAt: number };

async function recordOutcome(
  slot: OwnedSlot,
  intent: SentIntent,
  result: CreateOutcome,
  policies: readonly string[],
): Promise<number> {
  const { memory, log, database, lease, limits } = slot;
  const { jobId, slice, attempt, marker } = intent;
  const create = { action: 'CreateExportTask', policies } as const;
  const active = { ...intent, state: 'starting' } as const;
  switch (result.outcome) {
    case 'accepted': {
      const { taskId, awsRequestId } = result;
      const change = { type: 'slice-running', slice, attempt, taskId } as const;
      const by = { ...create, awsRequestId };
      const row = { slice: { misses: 0 }, attempt: { taskId } };
      await record(slot, active, { to: 'running', ...row, change, by }, 'in-outcome');
      memory.refusals = 0;
      memory.refused = undefined;
      return 0;
    }
    case 'unknown': {
      // The row stays `starting`: what became of it is for AWS's list to say.
      const { cause, answer = toAwsProblem('CreateExportTask', cause) } = result;
      log.warn({ err: cause, jobId, slice, attempt, marker }, 'the answer to a create was lost');
      const stored = JSON.stringify(toStored(answer));
      await recordLostAnswer(database, lease, limits.leaseMs, intent, stored);
      return 0;
    }
    case 'not-sent':
    case 'refused': {
      const { outcome } = result;
      const destination = { ...slot.target, bucket: intent.destination };
      const problem = withBucketPolicy(result.problem, destination);
      const by = { ...create, awsRequestId: problem.members.awsRequestId, problem: problem.slug };
      const isOfSlot = outcome === 'not-sent' || slotProblems.has(problem.slug);
      const pauseMs = pauseAfterRefusal(slot, intent, problem, isOfSlot);
      const step = isOfSlot
        ? backToQueue(slot, intent, outcome, problem, by)
        : refusedFor(intent, problem, by);
      const keptMs = slot.elapsed() - intent.sentAt + pauseMs;
      await record(slot, active, { ...step, keptMs });
      return 0;
    }
  }
}

/** The end of a slice that may not be exported as it is. */
function refusedFor({ slice, attempt }: Intent, problem: Problem, by: CallToAws): Step {
  const stored = JSON.stringify(toStored(problem));
  return {
    to: 'failed',
    slice: { problem: stored },
    attempt: { outcome: 'refused', problem: stored },
    change: { type: 'slice-failed', slice, attempt, problem: problem.slug },
    by,
  };
}

/** Refusals that say nothing of the slice, but of the slot, the role or the weather. */
const slotProblems = new Set<ProblemSlug>([
  'export-slot-taken',
  'aws-throttled',
  'aws-unavailable',
  'service-role-unusable',
]);

/** The slice keeps its place in the queue, and the slot waits a little: none could have been created. */
function backToQueue(
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

// A refused role or a throttled account shall not be asked on and on; a log group that is not there
// need not keep the queue waiting.
function pauseAfterRefusal(
  slot: OwnedSlot,
  { jobId, slice, attempt }: Intent,
  problem: Problem,
  isOfSlot: boolean,
): number {
  const { memory, limits, elapsed, random, log, target } = slot;
  let pauseMs = limits.pollIntervalMs;
  if (problem.slug === 'service-role-not-permitted') {
    // Each try costs a slice, and none helps before somebody has changed a policy.
    pauseMs = backOffMs(memory.refusals++, slotPauses);
  } else if (isOfSlot) {
    pauseMs = jitteredBackOffMs(memory.refusals++, random);
  }
  memory.createNotBefore = elapsed() + pauseMs;
  const facts = { target: target.name, jobId, slice, attempt, problem: problem.slug, pauseMs };
  if (!isOfSlot) {
    log.info({ ...facts, detail: problem.detail }, 'AWS refused a slice');
    return pauseMs;
  }
  memory.refused ??= troubleAt(elapsed());
  const level = isAlarmDue(memory.refused, elapsed()) ? 'error' : 'warn';
  const since = elapsed() - memory.refused.since;
  log[level]({ ...facts, refusedForMs: since, err: problem.cause }, 'AWS takes no create now');
  return pauseMs;
}
