/** Does something at the start of a process; a failure ends it, in a sentence where it is about settings. */
export function exitWith<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    return exit(error as Error);
  }
}

/** What an address that cannot be listened on means, by Node's code. */
const addressErrors: Record<string, string> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'may not be listened on by this user',
  EADDRNOTAVAIL: 'is no address of this machine',
  ENOTFOUND: 'is no name of this machine',
};

/** Ends the process with 1. What is about settings is told in a sentence, a defect with its stack. */
export function exit(error: Error & { code?: string; address?: string; port?: number }): never {
  const { name, message, stack, code = '', address, port } = error;
  const addressError = addressErrors[code];
  const where = port === undefined ? 'The address in HOST' : `${address}:${port}`;
  const sentence = addressError
    ? `${where} ${addressError}; set HOST, PORT (the gateway) or EMULATOR_PORT (the emulator) to another.`
    : message;
  process.stderr.write(`${addressError || name === 'ConfigError' ? sentence : stack}\n`);
  process.exit(1);
}
