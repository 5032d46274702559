import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type {
  DeliveryResult,
  SendWebhook,
} from '#notifications/deliveries/tries/delivery-result.ts';
import { lookUpBySystem, makeDnsLookup } from '#outbound/lookup.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import { type OutboundConnections, sendRequest } from '#outbound/send-request.ts';
import { toEndpointQuestion } from '../endpoint-access.ts';
import { signMessage } from './sign-message.ts';
import { webhookUrlFault } from './webhook-url.ts';

// The specification recommends 15 to 30 seconds. Longer: a receiver that does not answer holds its share of the
// deliveries that are sent at once.
const withinMs = 15_000;

/** How webhooks are sent. */
export interface WebhookSenderOptions {
  /** Decides before each message whether its caller may still have the endpoint. */
  authorizer: Pick<Authorizer, 'decide'>;
  /** The origins that may use plain HTTP, any port and addresses that are not public. */
  origins: readonly string[];
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  /** Replaces the connections to all other origins. Default: public addresses only. */
  connections?: OutboundConnections;
}

/** Makes `SendWebhook`: one signed POST, by Standard Webhooks 1.0.0. */
export function makeWebhookSender({
  authorizer,
  origins,
  elapsed,
  connections = {
    lookup: makeDnsLookup(),
    isAllowed: isPublicAddress,
    deadline: () => AbortSignal.timeout(withinMs),
  },
}: WebhookSenderOptions): SendWebhook {
  const toAllowedOrigin = { ...connections, lookup: lookUpBySystem, isAllowed: () => true };

  const toPublicAddress: OutboundConnections = {
    ...connections,
    // A name that is not found looks like one with a private address: callers cannot find out names of this network.
    lookup: (host) => connections.lookup(host).catch(() => []),
  };

  async function send(...[endpoint, message]: Parameters<SendWebhook>) {
    if (webhookUrlFault(endpoint.url, origins) !== undefined)
      return { outcome: 'refused', reason: 'URL not allowed' } as const;
    const request = { principal: endpoint.principal, id: message.id };
    const question = toEndpointQuestion('CreateWebhookEndpoint', endpoint, true);
    if (!authorizer.decide(request, question).isPermitted)
      return { outcome: 'refused', reason: 'not-permitted' } as const;
    const url = new URL(endpoint.url);
    const headers = {
      'content-type': 'application/json',
      ...signMessage(message, endpoint.secrets),
    };
    const result = await sendRequest(
      { url, method: 'POST', headers, body: message.body },
      origins.includes(url.origin) ? toAllowedOrigin : toPublicAddress,
    );
    if (result.outcome !== 'answered') return result;
    const { status, retryAfter } = result;
    return { ...outcomeOf(status), status, ...readRetryAfter(retryAfter, message.at) };
  }

  return async (endpoint, message) => {
    const since = elapsed();
    const result = await send(endpoint, message);
    return { ...result, durationMs: Math.round(elapsed() - since) };
  };
}

function outcomeOf(status: number): Pick<DeliveryResult, 'outcome' | 'reason'> {
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  return { outcome: status === 410 ? 'gone' : 'failed', reason: `status ${status}` };
}

/** Reads `Retry-After`: seconds, or a date. `at` is the time of the attempt. */
function readRetryAfter(text: string | undefined, at: number): { retryAfterMs?: number } {
  if (text === undefined) return {};
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - at;
  return ms > 0 ? { retryAfterMs: ms } : {};
}
