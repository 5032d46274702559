// An IPv6 address has brackets in a Host header; a port is not part of the name.
const hostHeader = /^(\[[0-9a-f:.]{2,45}\]|[^:[\]]{1,255})(?::\d{1,5})?$/i;

/** Reads the name in a Host header, without port and in lower case; undefined if it is invalid. */
function readHostName(header: string): string | undefined {
  return hostHeader.exec(header)?.[1]?.toLowerCase().replace(/\.$/, '');
}

/**
 * Makes the check of the Host header. A hostile web page can point its own name to this machine (DNS
 * rebinding); the browser then sends that name as the Host. The routes of probes are not checked: probes
 * use the IP address, and the answers contain no secret.
 */
export function makeHostCheck(allowedHosts: readonly string[] | undefined) {
  const allowed = allowedHosts && new Set(allowedHosts);
  return (header: string | undefined, route: string | undefined): boolean => {
    if (!allowed || route?.startsWith('/health/')) return true;
    return allowed.has(readHostName(header ?? '') ?? '');
  };
}
