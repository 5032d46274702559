import { readCursor, toCursor } from '#paging/page.ts';
import { dayMs } from '#time/durations.ts';
import { awsError } from '../protocol/aws-error.ts';

// As at AWS.
const validForMs = dayMs;

/** Writes the cursor of a page as a token. `now` is epoch ms. */
export function writeNextToken(cursor: string, now: number): string {
  return toCursor([now, cursor]);
}

/**
 * Reads the position after which a page begins.
 * @throws an `AwsError` for a token that is changed or older than a day
 */
export function readNextToken(token: string, now: number): { at: number; id: string } {
  try {
    const [writtenAt = 0, cursor] = readCursor(token, ['number', 'string']) ?? [];
    const [at, id] = readCursor(cursor, ['number', 'string']) ?? [];
    const isValid = now - writtenAt < validForMs;
    if (isValid && at !== undefined && id !== undefined) return { at, id };
  } catch {
    // It is no cursor.
  }
  throw awsError('InvalidParameterException', 'The specified nextToken is invalid.');
}
