import type { CreateExportTaskCommandOutput } from '@aws-sdk/client-cloudwatch-logs';

import type { Problem } from '#problems/problem.ts';
import { isNotSent, meaningOf, toAwsProblem } from './error-meaning.ts';

/**
 * What is known after CreateExportTask was sent once.
 * - `accepted`: AWS gave a task id.
 * - `not-sent`: no byte reached AWS; nothing was created.
 * - `refused`: AWS said no before any effect; nothing was created.
 * - `unknown`: anything else. The task may exist, may appear later, or may never exist. `answer` is
 *   what AWS said, if it said something.
 */
export type CreateOutcome =
  | { outcome: 'accepted'; taskId: string; awsRequestId: string | undefined }
  | { outcome: 'not-sent' | 'refused'; problem: Problem }
  | { outcome: 'unknown'; cause: unknown; answer?: Problem };

/** Judges an answer with status 200: it is a success only if it names the task. */
export function classifyAnswer(answer: CreateExportTaskCommandOutput): CreateOutcome {
  if (typeof answer.taskId === 'string' && answer.taskId !== '') {
    return { outcome: 'accepted', taskId: answer.taskId, awsRequestId: answer.$metadata.requestId };
  }
  const { $metadata } = answer;
  const cause = new Error('CreateExportTask answered 200 without a taskId');
  return { outcome: 'unknown', cause: Object.assign(cause, { $metadata }) };
}

// Errors that do not prove, even with a status of 4xx, that nothing was created. The first two may be
// the answer to a second arrival of the same request; the third is documented as a 500.
const ambiguousCodes = new Set([
  'OperationAbortedException',
  'ResourceAlreadyExistsException',
  'ServiceUnavailableException',
]);

/** Judges a failure by a positive list: what is not provably without effect is `unknown`. */
export function classifyError(error: unknown): CreateOutcome {
  if (isNotSent(error)) {
    return { outcome: 'not-sent', problem: toAwsProblem('CreateExportTask', error) };
  }
  const { name, $metadata } = error as {
    name?: string;
    $metadata?: { httpStatusCode?: number; attempts?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  const isRefused =
    status >= 400 &&
    status < 500 &&
    $metadata?.attempts === 1 &&
    name !== undefined &&
    !ambiguousCodes.has(name) &&
    meaningOf('CreateExportTask', error) !== undefined;
  if (isRefused) return { outcome: 'refused', problem: toAwsProblem('CreateExportTask', error) };
  if (status < 400) return { outcome: 'unknown', cause: error };
  return { outcome: 'unknown', cause: error, answer: toAwsProblem('CreateExportTask', error) };
}
