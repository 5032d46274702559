import { createHmac } from 'node:crypto';

/** The key pair with which a caller signs requests, as AWS clients name its parts. */
export interface WireKey {
  accessKeyId: string;
  secretAccessKey: string;
}

/**
 * Makes the key pair of an API key for one of its versions. Signatures are verified with the readable
 * secret, so a hash is not enough; it is derived and not stored. A new version revokes the previous secret.
 */
export function makeWireKey(wireSecret: string, name: string, version: number): WireKey {
  const derived = createHmac('sha256', wireSecret).update(`${name}:${version}`);
  return { accessKeyId: name, secretAccessKey: derived.digest('base64url') };
}
