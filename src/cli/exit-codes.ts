/** The exit codes of the command line. Scripts depend on them. */
export const exitCodes = {
  completed: 0,
  /** The export failed, or the gateway refused the request for another reason than those below. */
  failed: 1,
  usage: 2,
  notPermitted: 3,
  waitingRanOut: 4,
  gatewayAway: 5,
  notWritten: 6,
  /** 128 and the number of SIGINT, as shells expect it. */
  interrupted: 130,
} as const;

/** An error that ends the command with an exit code. Its message is for the person. */
export interface CommandError extends Error {
  exitCode: number;
}

/** Makes an error that ends the command. */
export function makeCommandError(exitCode: number, message: string): CommandError {
  return Object.assign(new Error(message), { exitCode });
}

/** Makes the error of arguments or settings that cannot be used. */
export const makeUsageError = (message: string): CommandError =>
  makeCommandError(exitCodes.usage, message);

/** Whether an error says that the gateway is away. */
export const isGatewayAway = (error: unknown): boolean =>
  isCommandError(error) && error.exitCode === exitCodes.gatewayAway;

/** Whether an error ends the command with a code of its own. */
export function isCommandError(error: unknown): error is CommandError {
  return error instanceof Error && 'exitCode' in error;
}
