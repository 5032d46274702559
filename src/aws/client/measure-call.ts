import { type AwsMethod, awsCalls } from '#diagnostics/aws-calls.ts';
import { errorMeanings, isNotSent, isTimeout } from '../error-meaning.ts';

/** Makes a call to AWS, and publishes how long it took and why it failed. `elapsed` only goes forward. */
export async function measureCall<Answer>(
  method: AwsMethod,
  elapsed: () => number,
  call: () => Promise<Answer>,
): Promise<Answer> {
  const beganAt = elapsed();
  let errorType: string | undefined;
  try {
    return await call();
  } catch (error) {
    errorType = errorTypeOf(error);
    throw error;
  } finally {
    awsCalls.publish({ method, durationMs: elapsed() - beganAt, errorType });
  }
}

// AWS may add codes at any time, so a metric must not have one that is not listed.
const knownCodes = new Set([
  ...errorMeanings.map(({ code }) => code),
  'InternalFailure',
  'InternalServerException',
  'ServiceUnavailable',
]);

function errorTypeOf(error: unknown): string {
  const { name = '', $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  if (knownCodes.has(name)) return name; // also without credentials: nothing is sent, but AWS is not away
  if ($metadata?.httpStatusCode !== undefined) return '_OTHER';
  if (isNotSent(error)) return 'not_sent';
  return isTimeout(error) ? 'timeout' : '_OTHER';
}
