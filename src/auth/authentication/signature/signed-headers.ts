import type { IncomingMessage } from 'node:http';

import { refuseSignedBecause } from './refusals.ts';

/** The headers of a request: all values by name in lower case. */
export type HeaderValues = ReadonlyMap<string, readonly string[]>;

/** Collects the values of all headers. `headers` of Node joins or drops repeated ones. */
export function collectHeaders({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): HeaderValues {
  const values = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  return values;
}

/** The headers that decide what a request does. Without a signature, anyone on the way could change them. */
const alwaysSigned = ['host', 'x-amz-date', 'x-amz-target'];
const signedIfPresent = 'x-amz-security-token';

/**
 * Checks the list of signed headers: sorted, without repetition, with all headers that decide what the
 * request does, and each of them exactly once in the request. A repeated header is refused, because a proxy
 * may read another of its values.
 * @throws Problem unauthenticated
 */
export function checkSignedHeaders(names: readonly string[], headers: HeaderValues): void {
  for (const [index, name] of names.entries()) {
    const previous = names[index - 1];
    if (previous !== undefined && previous >= name) {
      throw refuseSignedBecause(
        'invalid-signature',
        'SignedHeaders must be sorted by name, without repetition.',
      );
    }
    const count = headers.get(name)?.length ?? 0;
    if (count !== 1) {
      throw refuseSignedBecause(
        'invalid-signature',
        `The request must have the signed header '${name}' exactly once, but has ${count}.`,
      );
    }
  }
  const required = headers.has(signedIfPresent) ? [...alwaysSigned, signedIfPresent] : alwaysSigned;
  for (const name of required) {
    if (names.includes(name)) continue;
    throw refuseSignedBecause(
      'invalid-signature',
      `'${name}' must be a 'SignedHeader' in the AWS Authorization.`,
    );
  }
}
