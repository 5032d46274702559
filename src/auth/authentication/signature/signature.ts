import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a signature is made for. */
export interface CredentialScope {
  /** Such as 20240501. */
  day: string;
  region: string;
  service: string;
}

/** Returns the signature of a canonical request (AWS Signature Version 4). `at` is X-Amz-Date. */
export function signatureOf(
  secretAccessKey: string,
  { day, region, service }: CredentialScope,
  { at, canonicalHash }: { at: string; canonicalHash: string },
): Buffer {
  const steps = [day, region, service, 'aws4_request'];
  const key = steps.reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
  return hmac(key, `AWS4-HMAC-SHA256\n${at}\n${steps.join('/')}\n${canonicalHash}`);
}

/** Compares with all valid signatures, so that the duration does not reveal which one is close. */
export function isOneOf(signature: Buffer, valid: readonly Buffer[]): boolean {
  let isFound = false;
  for (const one of valid) if (timingSafeEqual(signature, one)) isFound = true;
  return isFound;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
