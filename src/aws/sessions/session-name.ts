import { createHash } from 'node:crypto';

// STS accepts 2 to 64 characters. With twelve hex digits, a collision among a million callers has a
// chance of 1 in 500. Fewer: collisions are likely. More: less of the name is readable in CloudTrail.
const digestDigits = 12;
const readableCharacters = 64 - digestDigits - 1;

/**
 * The RoleSessionName and SourceIdentity of a caller: its subject as far as STS allows, and a digest of
 * its whole id, so that two callers have different names.
 */
export function sessionNameOf(caller: string): string {
  const subject = caller.slice(caller.indexOf('#') + 1);
  const readable = subject.replaceAll(/[^\w=,.@-]+/g, '-').slice(0, readableCharacters);
  const digest = createHash('sha256').update(caller).digest('hex').slice(0, digestDigits);
  return `${readable}-${digest}`;
}
