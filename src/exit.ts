/** Does something at the start of a process; a failure ends it, in a sentence where it is about settings. */
export function exitWith<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    return exit(error as Error);
  }
}

/** Ends the process with 1; a ConfigError is told in its sentence alone. */
export function exit(error: Error): never {
  process.stderr.write(`${error.name === 'ConfigError' ? error.message : error.stack}\n`);
  process.exit(1);
}
