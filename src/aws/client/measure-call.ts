import { type AwsMethod, awsCallStarts, awsCalls } from '#diagnostics/aws-calls.ts';
import { isNotSent, isTimeout } from '../error-meaning.ts';
import { errorMeanings } from '../error-table.ts';
import type { AwsRegion } from '../regions/open-aws.ts';

/** Makes a call to AWS, and publishes its start, how long it took and why it failed. */
export async function measureCall<Answer extends object>(
  method: AwsMethod,
  { name: region, elapsed }: Pick<AwsRegion, 'name' | 'elapsed'>,
  call: () => Promise<Answer>,
): Promise<Answer> {
  const start = { method, region };
  const beganAt = elapsed();
  const publishEnd = (requestId: string | undefined, errorType?: string) => {
    const durationMs = elapsed() - beganAt;
    awsCalls.publish({ start, durationMs, errorType, awsRequestId: requestId });
  };
  const answer = await awsCallStarts.run(start, call).catch((error: object) => {
    publishEnd(requestIdOf(error), errorTypeOf(error));
    throw error;
  });
  publishEnd(requestIdOf(answer));
  return answer;
}

/** The request id of an answer or an error of the SDK, or of a page that was read from an answer. */
function requestIdOf(result: object): string | undefined {
  const { $metadata, awsRequestId } = result as {
    $metadata?: { requestId?: string };
    awsRequestId?: string;
  };
  return $metadata?.requestId ?? awsRequestId;
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
