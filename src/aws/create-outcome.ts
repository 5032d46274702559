import type { CreateExportTaskCommandOutput } from '@aws-sdk/client-cloudwatch-logs';

import type { Problem } from '#problems/problem.ts';
import { isNotSent, meaningOf, toAwsProblem } from './error-meaning.ts';

/**
 * The outcome of one CreateExportTask.
 * - `accepted`: AWS gave a task id.
 * - `not-sent`: no byte reached AWS; nothing was created. With `isOfCaller`, STS refused the session of this
 *   caller, and the creates of others may succeed.
 * - `refused`: AWS refused it before any effect; nothing was created.
 * - `unknown`: anything else. The task may exist, may appear later, or may never exist. `answer` is
 *   the problem that AWS answered with, if it answered.
 */
export type CreateOutcome =
  | { outcome: 'accepted'; taskId: string; awsRequestId: string | undefined }
  | { outcome: 'not-sent'; problem: Problem; isOfCaller?: boolean }
  | { outcome: 'refused'; problem: Problem }
  | { outcome: 'unknown'; cause: unknown; answer?: Problem };

/** Classifies an answer with status 200. It is a success only if it has a task id. */
export function classifyAnswer(answer: CreateExportTaskCommandOutput): CreateOutcome {
  if (typeof answer.taskId === 'string' && answer.taskId !== '') {
    return { outcome: 'accepted', taskId: answer.taskId, awsRequestId: answer.$metadata.requestId };
  }
  const { $metadata } = answer;
  const cause = new Error('CreateExportTask answered 200 without a taskId');
  return { outcome: 'unknown', cause: Object.assign(cause, { $metadata }) };
}

// Codes that do not prove, even with a 4xx status, that nothing was created. The first two may answer a
// second arrival of the same request. The third is documented as a 500.
const ambiguousCodes = new Set([
  'OperationAbortedException',
  'ResourceAlreadyExistsException',
  'ServiceUnavailableException',
]);

/** Classifies a failure. It is `unknown` unless it provably had no effect. */
export function classifyError(error: unknown): CreateOutcome {
  const { name, $metadata } = error as {
    name?: string;
    $metadata?: { httpStatusCode?: number; attempts?: number };
  };
  if (isNotSent(error)) {
    const isOfCaller = name === 'CallerRefused';
    return { outcome: 'not-sent', problem: toAwsProblem('CreateExportTask', error), isOfCaller };
  }
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
