// An IPv6 address has brackets in a Host header; a port is not part of the name.
const hostHeader = /^(\[[0-9a-f:.]{2,45}\]|[^:[\]]{1,255})(?::\d{1,5})?$/i;

/** The name in a Host header, as names are compared: without port, in lower case; undefined when it is none. */
function readHostName(header: string): string | undefined {
  return hostHeader.exec(header)?.[1]?.toLowerCase().replace(/\.$/, '');
}

/**
 * Makes the check of the Host header. A page of a hostile site can make its own name lead to this
 * machine (DNS rebinding); what the browser then sends has that name as its Host. Probes are sent by
 * address and tell nothing, so their routes are not checked.
 */
export function makeHostCheck(allowedHosts: readonly string[] | undefined) {
  const allowed = allowedHosts && new Set(allowedHosts);
  return (header: string | undefined, route: string | undefined): boolean => {
    if (!allowed || route?.startsWith('/health/')) return true;
    return allowed.has(readHostName(header ?? '') ?? '');
  };
}
