import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** Where the next page of log groups begins. */
export interface Position {
  /** The token of AWS for the page that it is in. Default: the first page. */
  awsToken?: string;
  /** The last log group that was shown. Default: the page has shown none. */
  after?: string;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
// The length of a token of AWS may depend on a name in it. Shorter: some lengths still differ. Longer: tokens take more
// of a body.
const paddedTo = 1_024;

/**
 * Encrypts a position, because a token of AWS may contain names of hidden log groups. `secret` is the same for all
 * replicas. `boundTo` says whose token it is, and for what.
 */
export function sealPosition(secret: string, boundTo: string, position: Position): string {
  const text = JSON.stringify(position);
  const padded = text.padEnd(Math.ceil(text.length / paddedTo) * paddedTo);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, keyOf(secret), nonce).setAAD(Buffer.from(boundTo));
  const sealed = [nonce, cipher.update(padded), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed).toString('base64url');
}

/** Decrypts a token; undefined if it was changed, or is bound to something else. */
export function openPosition(secret: string, boundTo: string, token: string): Position | undefined {
  const sealed = Buffer.from(token, 'base64url');
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const decipher = createDecipheriv(algorithm, keyOf(secret), nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(boundTo))
    .setAuthTag(sealed.subarray(-tagBytes));
  try {
    const text = decipher.update(sealed.subarray(nonceBytes, -tagBytes));
    return JSON.parse(Buffer.concat([text, decipher.final()]).toString());
  } catch {
    return undefined;
  }
}

const keyOf = (secret: string) =>
  createHmac('sha256', secret).update('tokens of log groups').digest();
