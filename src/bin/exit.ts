/** Runs a step of the start; a failure ends the process as `exit` does. */
export function exitWith<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    return exit(error as Error);
  }
}

/** Ends the process with code 1. Prints the message of a settings error, and the stack of any other. */
export function exit({ name, message, stack }: Error): never {
  process.stderr.write(`${name === 'ConfigError' ? message : stack}\n`);
  process.exit(1);
}
