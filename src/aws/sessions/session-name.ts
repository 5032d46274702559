import { createHash } from 'node:crypto';

// STS takes 2 to 64 characters. Twelve digits keep any two of a million callers apart but for one
// chance in 500; what is left of 64 is for people who read CloudTrail.
const digestDigits = 12;
const readableCharacters = 64 - digestDigits - 1;

/**
 * The name of a caller's sessions at AWS, as RoleSessionName and SourceIdentity: what can be shown
 * of its subject, and a digest of its whole id, so that no two callers have the same.
 */
export function sessionNameOf(caller: string): string {
  const subject = caller.slice(caller.indexOf('#') + 1);
  const readable = subject.replaceAll(/[^\w=,.@-]+/g, '-').slice(0, readableCharacters);
  const digest = createHash('sha256').update(caller).digest('hex').slice(0, digestDigits);
  return `${readable}-${digest}`;
}
