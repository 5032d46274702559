import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

import { isThrottling } from '../error-meaning.ts';

type MiddlewareStack = CloudWatchLogsClient['middlewareStack'];

/** Hears of what the SDK sends. */
export interface AttemptListener {
  /** A call is sent again. */
  count(): void;
  /** AWS has throttled a call. */
  reduce(): void;
}

/** Makes a client tell of each repeated attempt, and of each one that AWS throttles. */
export function watchAttempts(watch: AttemptListener): Parameters<MiddlewareStack['use']>[0] {
  return {
    applyToStack(stack) {
      stack.add(
        (next) => async (args) => {
          const { headers } = args.request as { headers: Record<string, string> };
          if (!headers['amz-sdk-request']?.startsWith('attempt=1;')) watch.count();
          try {
            return await next(args);
          } catch (error) {
            if (isThrottling(error)) watch.reduce();
            throw error;
          }
        },
        { step: 'finalizeRequest', priority: 'low', name: 'watchAttempts' },
      );
    },
  };
}
