import type { ExportGrant } from '#aws/call-options.ts';
import { lostCreates, reconciledCreates } from '#diagnostics/exports.ts';
import { Problem } from '#problems/problem.ts';
import { explainRefusal } from '#targets/preflight/explain-refusal.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { EffectiveTask } from './default-prefix.ts';
import {
  type CreatedTask,
  makeOutcomeLookUp,
  type OutcomeLookUp,
  type OutcomeLookUpOptions,
} from './outcome-look-up.ts';
import { type ViewTask, withSlotHolder } from './slot-taken.ts';

/** The caller of a create, the grant, and the caller's view of other tasks. */
export interface CreateOnceOptions {
  caller: string;
  grant: ExportGrant | undefined;
  view: ViewTask;
  log: Log;
  /** Aborts when the caller has disconnected. A create that still waits is then not sent. */
  signal?: AbortSignal | undefined;
}

/**
 * Creates an export task with exactly one CreateExportTask, even if its answer is lost. When the outcome
 * is unknown, it is looked up in the list of AWS.
 */
export function makeCreateOnce(clocks: OutcomeLookUpOptions) {
  const { lookUp, follow } = makeOutcomeLookUp(clocks);

  return async function createOnce(
    target: OpenTarget,
    task: EffectiveTask,
    { caller, grant, signal, log, ...options }: CreateOnceOptions,
  ): Promise<CreatedTask> {
    // Otherwise its failure would be the answer to the create.
    const view: ViewTask = (other) =>
      options.view(other).catch((err: Error) => {
        log.warn({ target: target.name, err }, 'failed to look at another task for an answer');
        return undefined;
      });
    let beganAt = clocks.elapsed();
    const maySend = () => {
      beganAt = clocks.elapsed(); // it may have waited for the budget and for a session
      return true;
    };
    const callOptions = { caller, grant, signal, maySend };
    const result = await follow(target.logs.createExportTask(task, callOptions), task);
    switch (result.outcome) {
      case 'accepted':
        return result;
      case 'not-sent':
        throw result.problem;
      case 'refused':
        throw await withDiagnosis(result.problem, target, task, { caller, view, log });
      case 'unknown': {
        const { cause, answer } = result;
        lostCreates.publish({ target: target.name });
        const lookedUp = await lookUp(target.logs, task, { beganAt, caller });
        const found = lookedUp.found ? 'created' : 'unknown';
        reconciledCreates.publish({ target: target.name, result: found });
        if (lookedUp.found) return lookedUp.found;
        // A list without the task proves nothing: AWS may list it later.
        const detail = await unknownDetail(answer, lookedUp, view);
        throw new Problem('outcome-unknown', detail, { cause, ...answer?.members });
      }
    }
  };
}

/** Adds to a refusal the slot holder, or a bucket policy. */
async function withDiagnosis(
  refusal: Problem,
  target: OpenTarget,
  task: EffectiveTask,
  options: Pick<CreateOnceOptions, 'caller' | 'view' | 'log'>,
): Promise<Problem> {
  if (refusal.slug === 'export-slot-taken') return withSlotHolder(target.logs, refusal, options);
  return explainRefusal(refusal, target, task, options);
}

async function unknownDetail(
  answer: Problem | undefined,
  { isUnlisted, nearMiss }: OutcomeLookUp,
  view: ViewTask,
): Promise<string> {
  const sent = answer
    ? `${answer.detail} AWS may have created the task or not.`
    : 'CreateExportTask was sent and its answer was lost.';
  if (nearMiss) {
    const { taskId } = (await view(nearMiss)) ?? {};
    const which = taskId === undefined ? 'a task' : `task ${taskId}`;
    return `${sent} AWS lists ${which} of this log group that may be the new one, but not all its values match.`;
  }
  return isUnlisted
    ? `${sent} AWS does not list the task yet, but it may still appear.`
    : `${sent} This service could not read the whole list of tasks from AWS.`;
}
