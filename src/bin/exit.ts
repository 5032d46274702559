/** Does something at the start of a process; a failure ends it, in a sentence where it is about settings. */
export function exitWith<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    return exit(error as Error);
  }
}

/** Ends the process with 1. What is about settings is told in a sentence, a defect with its stack. */
export function exit({ name, message, stack }: Error): never {
  process.stderr.write(`${name === 'ConfigError' ? message : stack}\n`);
  process.exit(1);
}
