import { refuseSigned, refuseSignedBecause } from './refusals.ts';
import type { HeaderValues } from './signed-headers.ts';

/** The members of an Authorization header of AWS Signature Version 4. */
export interface AuthorizationHeader {
  accessKeyId: string;
  /** The day of the credential scope, such as 20240501. */
  day: string;
  region: string;
  service: string;
  signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  signature: string;
}

// The order of all SDKs. Names of headers are in lower case there.
const form =
  /^AWS4-HMAC-SHA256 +Credential=([\w.-]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, *SignedHeaders=([a-z0-9_.;-]+), *Signature=([0-9a-f]+)$/;
const signatureDigits = 64;

/**
 * Reads the signature in the headers of a request. There must be exactly one credential. If there were two,
 * a proxy might have checked the other one.
 * @throws Problem unauthenticated
 */
export function readAuthorization(headers: HeaderValues): AuthorizationHeader {
  const found = headers.get('authorization') ?? [];
  const [value] = found;
  if (value === undefined) throw refuseSigned('missing', 'no Authorization header');
  if (found.length > 1 || headers.has('x-api-key')) {
    throw refuseSignedBecause('malformed', 'The request must have exactly one credential.');
  }
  const members = form.exec(value);
  if (members?.[6]?.length !== signatureDigits) {
    throw refuseSignedBecause(
      'malformed',
      'The Authorization header must have the form "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".',
    );
  }
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] =
    members;
  return { accessKeyId, day, region, service, signedHeaders: names.split(';'), signature };
}
