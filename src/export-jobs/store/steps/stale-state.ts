const name = 'StaleState';

/** Makes the error of a slice that another transaction changed first. The caller may try again. */
export function staleState(): Error {
  return Object.assign(new Error('Another transaction changed the slice first'), { name });
}

/** Whether another transaction changed the slice first. */
export function isStaleState(error: unknown): boolean {
  return error instanceof Error && error.name === name;
}
