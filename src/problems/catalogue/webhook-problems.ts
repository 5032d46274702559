import { inDigits, statedLimits } from '../limits.ts';
import type { ProblemKind } from './problem-kind.ts';

/** What is refused about webhook endpoints. */
export const webhookProblems = {
  'webhook-endpoint-not-found': {
    status: 404,
    title: 'Webhook endpoint not found',
    explanation:
      'You have no webhook endpoint with this id, or the policies do not permit the request. A request about an endpoint of another caller gets the same answer.',
    remedy: 'Check the id. GET /webhook-endpoints lists your endpoints.',
    isRetryable: false,
  },
  'webhook-delivery-not-found': {
    status: 404,
    title: 'Webhook delivery not found',
    explanation:
      'The webhook endpoint has no delivery of this event. Deliveries that have ended are deleted some days later. An event that has just happened gets its deliveries within seconds.',
    remedy:
      'Check the id of the event. GET /webhook-endpoints/{endpointId}/deliveries lists the deliveries of the endpoint.',
    isRetryable: false,
  },
  'webhook-endpoint-disabled': {
    status: 409,
    title: 'Webhook endpoint disabled',
    explanation:
      'A webhook endpoint that is disabled gets no events, not even a test event. You have disabled it, its receiver has answered with the status `Gone`, or all its deliveries have failed for days. `disabled` of the endpoint has the reason.',
    remedy:
      'Send PATCH /webhook-endpoints/{endpointId} with `isEnabled` true, then send the request again.',
    isRetryable: false,
  },
  'webhook-url-not-allowed': {
    status: 422,
    title: 'URL of a webhook endpoint not allowed',
    explanation:
      'Events are sent over HTTPS to the default port of public addresses. This protects the network of this service: otherwise a caller could send requests to hosts in it. The operator can allow other origins with WEBHOOK_ORIGINS. A name is looked up each time that an event is sent. If the name has an address that is not public at that time, the event is not sent. It is tried again, like every event that fails.',
    remedy:
      'Choose a URL that begins with https://, uses the default port and has a public address. It must have no user name, password or fragment. Or ask the operator to add the origin of the URL to WEBHOOK_ORIGINS.',
    isRetryable: false,
  },
  'too-many-webhook-endpoints': {
    status: 422,
    title: 'Limit of webhook endpoints reached',
    explanation: `A caller can have ${inDigits(statedLimits.webhookEndpointsPerCaller)} webhook endpoints. Endpoints that are disabled count, too. Callers that do not authenticate share the limit.`,
    remedy:
      'Use one endpoint for events of all types, or change the URL of one with PATCH /webhook-endpoints/{endpointId}. Or delete one with DELETE /webhook-endpoints/{endpointId}.',
    isRetryable: false,
  },
} as const satisfies Record<string, ProblemKind>;
