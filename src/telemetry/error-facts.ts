/** What of an error is logged. Named members only: whatever else hangs on it may hold secrets. */
interface ErrorFacts {
  type: string;
  message: string;
  code?: unknown;
  metadata?: unknown;
  responseBody?: string;
  stack?: string | undefined;
  cause?: ErrorFacts;
}

// Enough to recognise a proxy's page, short enough for one line.
const longestBody = 2_000;
const deepestCause = 5;

/** Reads the facts of an error and its causes for the log; `$…` are members of the AWS SDK's errors. */
export function toErrorFacts(error: unknown, depth = 0): ErrorFacts | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, $metadata, $responseBodyText } = error as {
    code?: unknown;
    $metadata?: unknown;
    $responseBodyText?: string;
  };
  const cause = depth < deepestCause ? toErrorFacts(error.cause, depth + 1) : undefined;
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...($metadata !== undefined && { metadata: $metadata }),
    ...($responseBodyText !== undefined && {
      responseBody: $responseBodyText.slice(0, longestBody),
    }),
    stack: error.stack,
    ...(cause && { cause }),
  };
}
