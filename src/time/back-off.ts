/** The shortest and the longest pause between attempts, in milliseconds. */
export interface BackOffLimits {
  firstMs: number;
  maxMs: number;
}

/** Exponential back-off: after each further failure the pause is twice as long, up to the longest. */
export function backOffMs(failures: number, { firstMs, maxMs }: BackOffLimits): number {
  return Math.min(maxMs, firstMs * 2 ** failures);
}
