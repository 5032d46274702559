import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

import { isThrottling } from '../error-meaning.ts';

type MiddlewareStack = CloudWatchLogsClient['middlewareStack'];

/** Receives what the SDK does on its own. */
export interface AttemptListener {
  /** The SDK retries a call. */
  count(): void;
  /** AWS has throttled an attempt. */
  reduce(): void;
}

/** A middleware that reports each retry, and each attempt that AWS throttles. */
export function watchAttempts(listener: AttemptListener): Parameters<MiddlewareStack['use']>[0] {
  return {
    applyToStack(stack) {
      stack.add(
        (next) => async (args) => {
          const { headers } = args.request as { headers: Record<string, string> };
          if (!headers['amz-sdk-request']?.startsWith('attempt=1;')) listener.count();
          try {
            return await next(args);
          } catch (error) {
            if (isThrottling(error)) listener.reduce();
            throw error;
          }
        },
        { step: 'finalizeRequest', priority: 'low', name: 'watchAttempts' },
      );
    },
  };
}
