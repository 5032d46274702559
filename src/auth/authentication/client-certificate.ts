import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { Principal } from '../principal.ts';

/** What client certificates are verified with. */
export interface ClientCertificateOptions {
  now: () => number;
  refuse: (reason: string) => Error;
  authorities: ClientAuthorities;
}

/** The CA certificates that sign client certificates. */
export interface ClientAuthorities {
  /** The current ones: a new array when they have changed. */
  current(): readonly X509Certificate[];
  /** The ones that were current when a connection was made; undefined if that is unknown. */
  of(socket: Socket): readonly X509Certificate[] | undefined;
}

// One alternative name as Node prints it (since CVE-2021-44533): ambiguous names are quoted. Some kinds,
// such as `IP Address`, contain a space.
const alternativeName = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",\\]*)(?:, |$)/y;
// Characters that need no quotes. Not `#`: it ends the issuer in the id of a caller.
const plainName = /^[!$-~]{1,512}$/;
// Scheme and authority of a URI are case-insensitive (RFC 3986, section 6.2.2.1).
const uriName = /^([a-z][a-z0-9+.-]*:)(?:(\/\/[^/?@]*)(?=[/?]|$)|(?!\/\/))(.*)$/i;
// Labels of letters, digits, `-` and `_`, optionally with the root dot. Without `:`, so never a URI.
const dnsName = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z0-9_][a-z0-9_-]{0,62}\.?$/i;

/** The principal of a certificate, and the authorities it was verified with. */
interface VerifiedCertificate {
  principal: Principal;
  endsAt: number;
  authorities: readonly X509Certificate[];
}

/**
 * Makes the verifier of client certificates. The caller's name is the only URI among the alternative
 * names or, without a URI, the only DNS name; undefined if the connection has no certificate. A
 * certificate is verified once per connection, and again when the authorities change; its expiry is
 * checked at each request.
 * @throws what `refuse` makes of a certificate that is not accepted
 */
export function makeClientCertificates({ now, refuse, authorities }: ClientCertificateOptions) {
  const known = new WeakMap<Socket, VerifiedCertificate>();

  function verify(socket: TLSSocket, certificate: X509Certificate): VerifiedCertificate {
    if (!socket.authorized) throw refuse(`not authorized: ${socket.authorizationError}`);
    const current = authorities.current();
    const signer = current.find((authority) => isSignedBy(certificate, authority));
    if (!signer && !areAllIn(current, authorities.of(socket))) {
      throw refuse('a CA certificate was removed after the connection was made');
    }
    const names = readAlternativeNames(certificate.subjectAltName ?? '');
    if (!names) throw refuse('its alternative names cannot be read');
    const name = readName(names);
    const id = `mtls#${name}`;
    const ends = [certificate, ...(signer ? [signer] : [])].map(({ validToDate }) => validToDate);
    const endsAt = Math.min(...ends.map(Number));
    const principal: Principal = { id, issuer: 'mtls', subject: name, groups: [], claims: {} };
    return { principal, endsAt, authorities: current };
  }

  function readName(names: Map<string, string[]>): string {
    const uris = names.get('URI');
    const [name, ...others] = uris ?? names.get('DNS') ?? [];
    if (name === undefined || others.length > 0) throw refuse('not exactly one URI or DNS name');
    if (!plainName.test(name)) throw refuse('its name contains an invalid character');
    const canonical = uris ? toCanonicalUri(name) : toCanonicalDnsName(name);
    if (canonical === undefined) throw refuse(`its ${uris ? 'URI' : 'DNS name'} is invalid`);
    return canonical;
  }

  return (socket: Socket): Principal | undefined => {
    let found = known.get(socket);
    if (found?.authorities !== authorities.current()) {
      const certificate = (socket as Partial<TLSSocket>).getPeerX509Certificate?.();
      if (!certificate) return undefined;
      found = verify(socket as TLSSocket, certificate);
      known.set(socket, found);
    }
    if (found.endsAt <= now()) throw refuse('it has expired since the connection was made');
    return found.principal;
  };
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/**
 * Whether all earlier authorities are still current. OpenSSL does not show the intermediate certificates
 * of a caller, so it is unknown which authority such a chain depends on.
 */
function areAllIn(
  current: readonly X509Certificate[],
  earlier: readonly X509Certificate[] | undefined,
): boolean {
  const known = new Set(current.map(({ fingerprint256 }) => fingerprint256));
  return earlier?.every(({ fingerprint256 }) => known.has(fingerprint256)) ?? false;
}

/** A URI with scheme and authority in lower case; undefined if it is not a URI or contains a user name. */
function toCanonicalUri(name: string): string | undefined {
  const [, scheme, authority = '', rest] = uriName.exec(name) ?? [];
  return scheme && `${scheme.toLowerCase()}${authority.toLowerCase()}${rest}`;
}

/** A DNS name in lower case, without the root dot; undefined if it is not a DNS name or is a wildcard. */
function toCanonicalDnsName(name: string): string | undefined {
  return dnsName.test(name) ? name.toLowerCase().replace(/\.$/, '') : undefined;
}

/** The alternative names by kind; undefined if any part of the text is not one. */
function readAlternativeNames(text: string): Map<string, string[]> | undefined {
  const names = new Map<string, string[]>();
  alternativeName.lastIndex = 0;
  while (alternativeName.lastIndex < text.length) {
    const [, kind = '', name = ''] = alternativeName.exec(text) ?? [];
    if (kind === '') return undefined;
    names.set(kind, [...(names.get(kind) ?? []), name]);
  }
  return names;
}
