import { awsError } from '../wire/aws-error.ts';

/**
 * Writes a nextToken: the operation, the position in its listing, and the time. It is opaque to
 * clients.
 */
export function writeNextToken(operation: string, place: unknown, now: number): string {
  return Buffer.from(JSON.stringify([operation, place, now])).toString('base64url');
}

/**
 * Reads the position from a nextToken.
 * @throws InvalidParameterException for an unknown token, a token of another operation, or one older
 * than `ttlMs` (message recorded for similar operations)
 */
export function readNextToken<Place>(
  token: string,
  expected: { operation: string; now: number; ttlMs: number },
): Place {
  const [operation, place, createdAt] = decode(token);
  if (operation !== expected.operation || !(expected.now - Number(createdAt) <= expected.ttlMs)) {
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
