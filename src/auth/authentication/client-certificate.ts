import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { Principal } from '../principal.ts';

/** What is needed to verify certificates. */
export interface ClientCertificateOptions {
  now: () => number;
  refuse: (reason: string) => Error;
  authorities: ClientAuthorities;
}

/** Who signs certificates of callers. */
export interface ClientAuthorities {
  /** Those of now: another array when they have changed. */
  current(): readonly X509Certificate[];
  /** Those a connection was made under; undefined when that is not known. */
  of(socket: Socket): readonly X509Certificate[] | undefined;
}

// One alternative name as Node prints it (after CVE-2021-44533): what could be taken for several, or
// for something else, is quoted. Names of people and addresses have spaces in their kind.
const alternativeName = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",\\]*)(?:, |$)/y;
// What is left when nothing has to be quoted. Not `#`: that ends the issuer in the id of a caller.
const plainName = /^[!$-~]{1,512}$/;
// A scheme, and after `//` who it belongs to: both are the same in any case (RFC 3986, section 6.2.2.1).
const uriName = /^([a-z][a-z0-9+.-]*:)(?:(\/\/[^/?@]*)(?=[/?]|$)|(?!\/\/))(.*)$/i;
// Labels of letters, digits, `-` and `_`, and perhaps the dot of the root. No `:`, so none is a URI.
const dnsName = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z0-9_][a-z0-9_-]{0,62}\.?$/i;

/** A principal, as the authorities of a time vouch for it. */
interface Judged {
  principal: Principal;
  endsAt: number;
  authorities: readonly X509Certificate[];
}

/**
 * Makes what says whose the certificate of a connection is: its one URI among the alternative names,
 * or where it has no URI its one DNS name; undefined when the connection has none. It is verified once
 * for each connection, again when the authorities have changed, and its end at each request.
 * @throws what `refuse` makes of one that is not accepted
 */
export function makeClientCertificates({ now, refuse, authorities }: ClientCertificateOptions) {
  const known = new WeakMap<Socket, Judged>();

  function verify(socket: TLSSocket, certificate: X509Certificate): Judged {
    if (!socket.authorized) throw refuse(`not authorized: ${socket.authorizationError}`);
    const current = authorities.current();
    const signer = current.find((authority) => isSignedBy(certificate, authority));
    if (!signer && !areAllIn(current, authorities.of(socket))) {
      throw refuse('an authority was withdrawn after the connection was made');
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
    if (name === undefined || others.length > 0) throw refuse('not exactly one URI, or DNS name');
    if (!plainName.test(name)) throw refuse('its name has characters that a name may not have');
    const canonical = uris ? toCanonicalUri(name) : toCanonicalDnsName(name);
    if (canonical === undefined) throw refuse(`its ${uris ? 'URI' : 'DNS name'} is none`);
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
 * Whether none of the authorities of then has been withdrawn. OpenSSL does not show what a caller sent
 * between its certificate and an authority, so with such a chain it cannot be told which one it needs.
 */
function areAllIn(
  current: readonly X509Certificate[],
  then: readonly X509Certificate[] | undefined,
): boolean {
  const known = new Set(current.map(({ fingerprint256 }) => fingerprint256));
  return then?.every(({ fingerprint256 }) => known.has(fingerprint256)) ?? false;
}

/** A URI with scheme and authority in lower case; undefined when it is none, or names a user in it. */
function toCanonicalUri(name: string): string | undefined {
  const [, scheme, authority = '', rest] = uriName.exec(name) ?? [];
  return scheme && `${scheme.toLowerCase()}${authority.toLowerCase()}${rest}`;
}

/** A DNS name in lower case, without the dot of the root; undefined when it is none, or a wildcard. */
function toCanonicalDnsName(name: string): string | undefined {
  return dnsName.test(name) ? name.toLowerCase().replace(/\.$/, '') : undefined;
}

/** The alternative names by their kind; undefined when the text is not made of them from end to end. */
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
