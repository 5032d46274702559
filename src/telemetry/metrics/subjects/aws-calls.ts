import { awsCalls } from '#diagnostics/aws-calls.ts';
import type { Instruments } from '../instruments.ts';
import { requestBuckets } from './requests.ts';

/** Measures calls to AWS. */
export function measureAwsCalls({ histogram, listen }: Instruments): void {
  const durations = histogram({
    name: 'rpc_client_call_duration_seconds',
    help: 'Duration of calls to AWS with their retries, in seconds. The error type is empty if a call succeeded.',
    labelNames: ['rpc_method', 'error_type'],
    buckets: requestBuckets,
  });
  listen(awsCalls, ({ start, errorType = '', durationMs }) => {
    durations.observe({ rpc_method: start.method, error_type: errorType }, durationMs / 1_000);
  });
}
