import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { Principal } from '../principal.ts';

/** What is needed to judge certificates. */
export interface ClientCertificateOptions {
  now: () => number;
  refuse: (reason: string) => Error;
}

// One alternative name as Node prints it (after CVE-2021-44533): what could be taken for several, or
// for something else, is quoted. Names of people and addresses have spaces in their kind.
const alternativeName = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",\\]*)(?:, |$)/y;
// What is left when nothing has to be quoted. Not `#`: that ends the issuer in the id of a caller.
const plainName = /^[!$-~]{1,512}$/;

/**
 * Makes what says whose the certificate of a connection is: its one URI among the alternative names,
 * or where it has no URI its one DNS name; undefined when the connection has none. It is judged once
 * for each connection, but its end at each request.
 * @throws what `refuse` makes of one that is not accepted
 */
export function makeClientCertificates({ now, refuse }: ClientCertificateOptions) {
  const judged = new WeakMap<Socket, { principal: Principal; endsAt: number }>();

  function judge(socket: TLSSocket, certificate: X509Certificate) {
    if (!socket.authorized) throw refuse(`not authorized: ${socket.authorizationError}`);
    const names = readAlternativeNames(certificate.subjectAltName ?? '');
    if (!names) throw refuse('its alternative names cannot be read');
    const [name, ...others] = names.get('URI') ?? names.get('DNS') ?? [];
    if (name === undefined || others.length > 0) throw refuse('not exactly one URI, or DNS name');
    if (!plainName.test(name)) throw refuse('its name has characters that a name may not have');
    const id = `mtls#${name}`;
    const principal: Principal = { id, issuer: 'mtls', subject: name, groups: [], claims: {} };
    return { principal, endsAt: certificate.validToDate.getTime() };
  }

  return (socket: Socket): Principal | undefined => {
    let found = judged.get(socket);
    if (!found) {
      const certificate = (socket as Partial<TLSSocket>).getPeerX509Certificate?.();
      if (!certificate) return undefined;
      found = judge(socket as TLSSocket, certificate);
      judged.set(socket, found);
    }
    if (found.endsAt <= now()) throw refuse('it has expired since the connection was made');
    return found.principal;
  };
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
