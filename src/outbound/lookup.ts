import { lookup, Resolver } from 'node:dns/promises';

import type { HostAddress, OutboundConnections } from './send-request.ts';

/**
 * Looks up a host by the system, with its hosts file and search domains. It is for origins that the operator
 * allows: each lookup holds a thread of the few that the clients of AWS use, too.
 */
export const lookUpBySystem: OutboundConnections['lookup'] = (host) => lookup(host, { all: true });

// Longer: a request has less time for the connection. Shorter: a slow name server looks like a missing name.
const waitMs = 2_000;

/**
 * Makes a lookup by DNS alone, for names that callers choose. A name server that does not answer holds no thread, and
 * no search domain completes a name to one of this network.
 */
export function makeDnsLookup(servers?: readonly string[]): OutboundConnections['lookup'] {
  return async (host) => {
    // It is made for each lookup, because the operator can change the name servers of a running system.
    const resolver = new Resolver({ timeout: waitMs, tries: 2 });
    if (servers) resolver.setServers(servers);
    const families = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = families.flatMap((found, index): HostAddress[] => {
      const family = index === 0 ? 4 : 6;
      return found.status === 'fulfilled'
        ? found.value.map((address) => ({ address, family }))
        : [];
    });
    const [first] = families;
    if (addresses.length === 0 && first.status === 'rejected') throw first.reason;
    return addresses;
  };
}
