import type { ProblemDocument, ProblemText } from '../documents.ts';
import { type CommandError, exitCodes, makeCommandError } from '../exit-codes.ts';

/** The end of a command by an error answer. */
export interface RefusedRequest extends CommandError {
  problem: ProblemDocument;
  /** The `WWW-Authenticate` of the answer. */
  challenge: string | undefined;
}

/** The name of a problem: the last part of its type. */
export const problemNameOf = ({ type }: ProblemText): string =>
  type.slice(type.lastIndexOf('/') + 1);

/** Makes the end of a command by an error answer. */
export const makeRefusedRequest = (
  problem: ProblemDocument,
  challenge: string | undefined,
): RefusedRequest =>
  Object.assign(makeCommandError(exitCodeOf(problem), problem.title), { problem, challenge });

/** Whether an error is the refusal of the gateway. */
export function isRefusedRequest(error: unknown): error is RefusedRequest {
  return error instanceof Error && 'problem' in error;
}

function exitCodeOf(problem: ProblemDocument): number {
  const { status } = problem;
  // The paths of the command line exist: the base path is wrong, or the operator has disabled the operation.
  if (problemNameOf(problem) === 'no-such-route') return exitCodes.gatewayAway;
  if (status === 401 || status === 403) return exitCodes.notPermitted;
  if (status === 400) return exitCodes.usage;
  if (status === 429) return exitCodes.waitingRanOut;
  return status === 503 ? exitCodes.gatewayAway : exitCodes.failed;
}
