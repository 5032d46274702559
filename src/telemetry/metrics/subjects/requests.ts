import { httpRequests } from '#diagnostics/http-requests.ts';
import { problemsMet } from '#diagnostics/problems.ts';
import { catalogue } from '#problems/catalogue.ts';
import type { Instruments } from '../instruments.ts';

/** The bounds that OpenTelemetry's conventions give for durations of requests and calls, in seconds. */
export const requestBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** Measures requests to the API, and counts problems. */
export function measureRequests({ histogram, counter, listen }: Instruments): void {
  const durations = histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of requests to the API, in seconds. The status is empty if a request was aborted before its answer.',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: requestBuckets,
  });
  listen(httpRequests, ({ start, status = '', durationMs }) => {
    const { method, route = '' } = start;
    const labels = {
      http_request_method: method,
      http_route: route,
      http_response_status_code: status,
    };
    durations.observe(labels, durationMs / 1_000);
  });

  const problems = counter({
    name: 'log_export_problems_total',
    help: 'Problems that requests were answered with, or that attempts of slices ended with, by slug.',
    labelNames: ['problem'],
  });
  for (const slug of Object.keys(catalogue)) problems.inc({ problem: slug }, 0);
  listen(problemsMet, ({ slug }) => {
    if (slug in catalogue) problems.inc({ problem: slug });
  });
}
