import { awsError } from '../wire/aws-error.ts';

/**
 * Writes a nextToken: opaque to clients, a place in one operation's listing and its birth to us.
 */
export function writeNextToken(operation: string, place: unknown, now: number): string {
  return Buffer.from(JSON.stringify([operation, place, now])).toString('base64url');
}

/**
 * Reads the place a nextToken stands for. Throws InvalidParameterException for one that is not
 * ours, belongs to another operation or is older than `ttlMs` (text recorded on sibling operations).
 */
export function readNextToken<Place>(
  token: string,
  expected: { operation: string; now: number; ttlMs: number },
): Place {
  const [operation, place, bornAt] = decode(token);
  if (operation !== expected.operation || !(expected.now - Number(bornAt) <= expected.ttlMs)) {
    throw awsError('InvalidParameterException', 'The specified nextToken is invalid.');
  }
  return place as Place;
}

function decode(token: string): unknown[] {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return Array.isArray(decoded) ? decoded : [];
  } catch {
    return [];
  }
}
