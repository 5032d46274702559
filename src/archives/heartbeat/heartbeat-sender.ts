import { heartbeatEnds } from '#diagnostics/exports.ts';
import { lookUpBySystem } from '#outbound/lookup.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import { type OutboundConnections, sendRequest } from '#outbound/send-request.ts';
import { heartbeatUrlFault } from './heartbeat-url.ts';

/** What became of a heartbeat. Nothing in it tells the path of the URL, which is a secret. */
export interface HeartbeatResult {
  /** `refused`: nothing was sent, because the origin or an address is not allowed. */
  outcome: 'delivered' | 'refused' | 'failed';
  /** The origin of the URL; empty if the text is no URL. */
  origin: string;
  /** Why it was refused or has failed: a code of Node, or a few words. */
  reason?: string;
}

/** Sends a heartbeat. It never rejects, and takes five seconds at most. */
export type SendHeartbeat = (url: string) => Promise<HeartbeatResult>;

// Longer: slow receivers hold more sockets at once. Shorter: a receiver far away misses heartbeats.
const withinMs = 5_000;

const toTheInternet: OutboundConnections = {
  lookup: lookUpBySystem,
  isAllowed: isPublicAddress,
  deadline: () => AbortSignal.timeout(withinMs),
};

// Lower: one receiver that does not answer keeps other archives from theirs. Higher: more sockets for calls that
// nobody waits for.
const maxAtOnce = 16;

/** Makes `SendHeartbeat` for the origins that the operator allows. A heartbeat is one GET over HTTPS. */
export function makeHeartbeatSender(
  origins: readonly string[],
  connections: OutboundConnections = toTheInternet,
): SendHeartbeat {
  let sending = 0;

  async function send(text: string): Promise<HeartbeatResult> {
    const origin = URL.parse(text)?.origin ?? '';
    const fault = heartbeatUrlFault(text, origins);
    if (fault !== undefined) return { outcome: 'refused', origin, reason: 'URL not allowed' };
    if (sending === maxAtOnce) return { outcome: 'failed', origin, reason: 'too many at once' };
    sending += 1;
    const result = await sendRequest({ url: new URL(text), method: 'GET' }, connections);
    sending -= 1;
    if (result.outcome !== 'answered') return { ...result, origin };
    const { status } = result;
    if (status >= 200 && status < 300) return { outcome: 'delivered', origin };
    return { outcome: 'failed', origin, reason: `status ${status}` };
  }

  return async (url) => {
    const result = await send(url);
    heartbeatEnds.publish({ outcome: result.outcome });
    return result;
  };
}
