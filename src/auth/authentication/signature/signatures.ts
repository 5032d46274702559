import type { IncomingMessage } from 'node:http';

import type { Principal } from '../../principal.ts';
import { type AuthorizationHeader, readAuthorization } from './authorization-header.ts';
import { hashCanonicalRequest } from './canonical-request.ts';
import { refuseSigned, refuseSignedBecause } from './refusals.ts';
import { isOneOf, signatureOf } from './signature.ts';
import { checkSignedHeaders, collectHeaders, type HeaderValues } from './signed-headers.ts';
import { checkSigningTime } from './signing-time.ts';
import { makeWireKey } from './wire-key.ts';

/** What a signed request states about itself. It is not verified before its body is read. */
export interface SignedRequest {
  accessKeyId: string;
  /** The Region of the credential scope. */
  region: string;
  /** 64 hexadecimal digits. Two requests with the same signature are the same request. */
  signature: string;
  /** The id that a client keeps over its retries. It may be unsigned. */
  invocationId?: string;
  /** The id of the caller that must have signed; undefined if nothing is verified. */
  claimedCallerId?: string;
}

/** Authenticates signed requests in two steps, because a signature covers the body. */
export interface Signatures {
  /**
   * Reads the signature from the headers, and refuses everything that can be refused without the body.
   * @throws Problem unauthenticated, or not-ready while the keys of a token issuer are missing
   */
  read(request: IncomingMessage): Promise<SignedRequest>;
  /** Verifies a signature that `read` has returned. @throws Problem unauthenticated */
  verify(request: IncomingMessage, signed: SignedRequest, body: Uint8Array): Principal;
}

/** An API key whose caller may sign requests. */
export interface SigningKey {
  principal: Principal;
  /** The version of its secret. */
  version: number;
  isExpired: boolean;
}

/** What signatures are verified with. */
export interface SignaturesOptions {
  /** The current WIRE_SECRET, and the previous one during a rotation. */
  secrets: readonly string[];
  /** Returns the API key with this name; undefined if there is none that may sign. */
  findKey: (name: string) => SigningKey | undefined;
  /** Verifies the token of a caller that has no key; absent if tokens are not accepted. */
  verifyToken: ((token: string) => Principal | Promise<Principal>) | undefined;
  /** The path prefix that a reverse proxy strips: the client has signed it. */
  basePath: string;
  /** Epoch ms. */
  now: () => number;
}

/** The access key id of callers whose session token is their credential. */
export const tokenKeyId = 'jwt';

/** How a caller proves who it is: by a verified token, or by one of these secrets. */
type Proof = { principal: Principal; secrets?: readonly string[] };

/** Makes the verification of signatures (AWS Signature Version 4, in headers only). */
export function makeSignatures(options: SignaturesOptions): Signatures {
  const { secrets, findKey, verifyToken, basePath, now } = options;
  const proofs = new WeakMap<SignedRequest, Proof>();

  async function findProof(accessKeyId: string, token: string | undefined): Promise<Proof> {
    if (accessKeyId === tokenKeyId && verifyToken) {
      if (token === undefined) throw refuseSigned('invalid-key', 'no session token');
      return { principal: await verifyToken(token) };
    }
    const key = findKey(accessKeyId);
    if (!key) throw refuseSigned('invalid-key', 'no such key');
    if (token !== undefined) throw refuseSigned('invalid-key', 'a key with a session token');
    if (key.isExpired) throw refuseSigned('expired-key', `the key of ${accessKeyId} has expired`);
    const { principal, version } = key;
    const derived = secrets.map((secret) => makeWireKey(secret, accessKeyId, version));
    return { principal, secrets: derived.map(({ secretAccessKey }) => secretAccessKey) };
  }

  return {
    async read(request) {
      const { headers, authorization, signed } = readStatement(request);
      const { service, day, signedHeaders } = authorization;
      if (service !== 'logs') {
        const text = "Credential should be scoped to correct service: 'logs'.";
        throw refuseSignedBecause('invalid-signature', text);
      }
      if (readPath(request).includes('?')) {
        throw refuseSignedBecause('invalid-signature', 'A signed request must have no query.');
      }
      checkSignedHeaders(signedHeaders, headers);
      checkSigningTime(onlyValue(headers, 'x-amz-date') ?? '', day, now());
      const token = onlyValue(headers, 'x-amz-security-token');
      const proof = await findProof(signed.accessKeyId, token);
      const claim = { ...signed, claimedCallerId: proof.principal.id };
      proofs.set(claim, proof);
      return claim;
    },
    verify(request, signed, body) {
      const proof = proofs.get(signed);
      if (!proof) throw refuseSigned('invalid-signature', 'a signature that was not read');
      if (!proof.secrets) return proof.principal; // its token is its proof
      const { headers, authorization } = readStatement(request);
      const path = basePath + readPath(request);
      const { signedHeaders } = authorization;
      const canonicalHash = hashCanonicalRequest({ path, signedHeaders, headers, body });
      const at = onlyValue(headers, 'x-amz-date') ?? '';
      const valid = proof.secrets.map((secret) =>
        signatureOf(secret, authorization, { at, canonicalHash }),
      );
      if (!isOneOf(Buffer.from(signed.signature, 'hex'), valid)) {
        throw refuseSigned('invalid-signature', 'wrong signature');
      }
      return proof.principal;
    },
  };
}

/** Accepts every signature of the right form: for a service that does not authenticate its callers. */
export function makeUnverifiedSignatures(everyone: Principal): Signatures {
  return {
    read: async (request) => readStatement(request).signed,
    verify: () => everyone,
  };
}

const invocationIdForm = /^[\w-]{1,128}$/;

/** Reads what a request states about its signature. @throws Problem unauthenticated */
function readStatement(request: IncomingMessage): {
  headers: HeaderValues;
  authorization: AuthorizationHeader;
  signed: SignedRequest;
} {
  const headers = collectHeaders(request);
  const authorization = readAuthorization(headers);
  const { accessKeyId, region, signature } = authorization;
  const invocationId = onlyValue(headers, 'amz-sdk-invocation-id') ?? '';
  const signed = {
    accessKeyId,
    region,
    signature,
    ...(invocationIdForm.test(invocationId) && { invocationId }),
  };
  return { headers, authorization, signed };
}

/** The path of a request. Some clients end it with an empty query, which is not signed. */
function readPath({ url = '' }: IncomingMessage): string {
  return url.endsWith('?') ? url.slice(0, -1) : url;
}

function onlyValue(headers: HeaderValues, name: string): string | undefined {
  const values = headers.get(name);
  return values?.length === 1 ? values[0] : undefined;
}
