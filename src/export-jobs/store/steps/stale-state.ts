const name = 'StaleState';

/** The error of a slice that somebody else changed first. Trying again is right. */
export function staleState(): Error {
  return Object.assign(new Error('the slice has changed meanwhile'), { name });
}

/** Whether somebody else changed the slice first. */
export function isStaleState(error: unknown): boolean {
  return error instanceof Error && error.name === name;
}
