import { awsError } from '../../wire/aws-error.ts';
import type { WireRequest } from '../../wire/exchange.ts';
import type { StoredObject } from '../buckets.ts';

/**
 * Refuses to read an object that does not fulfil the conditions of the request. Returns whether the caller knows
 * it already. A condition about the tag outweighs the one about the time (documentation).
 * @throws PreconditionFailed
 */
export function refuseRead({ headers }: WireRequest, object: StoredObject): boolean {
  const { 'if-match': wanted, 'if-none-match': known } = headers;
  if (wanted !== undefined) {
    if (!hasTag(object, wanted)) throw failed('If-Match');
  } else if (object.lastModified > readTime(headers['if-unmodified-since'])) {
    throw failed('If-Unmodified-Since');
  }
  return known === undefined
    ? object.lastModified <= readTime(headers['if-modified-since'])
    : hasTag(object, known);
}

/**
 * Refuses to write or remove an object that does not fulfil the conditions of the request. If-None-Match
 * with another value than `*` is not implemented by S3 either (documentation).
 * @throws PreconditionFailed, NoSuchKey or NotImplemented
 */
export function refuseChange({ headers }: WireRequest, object: StoredObject | undefined): void {
  const { 'if-match': wanted, 'if-none-match': unwanted } = headers;
  if (unwanted !== undefined && unwanted !== '*') {
    const message = 'A header you provided implies functionality that is not implemented';
    throw awsError('NotImplemented', message, 501, { details: { Header: 'If-None-Match' } });
  }
  if (unwanted !== undefined && object) throw failed('If-None-Match');
  if (wanted === undefined) return;
  if (!object) throw awsError('NoSuchKey', 'The specified key does not exist.', 404);
  if (!hasTag(object, wanted)) throw failed('If-Match');
}

function failed(Condition: string) {
  const message = 'At least one of the pre-conditions you specified did not hold';
  return awsError('PreconditionFailed', message, 412, { details: { Condition } });
}

/** Whether a header names the tag of an object, with or without quotes. */
function hasTag(object: StoredObject, header: string): boolean {
  const tags = header.split(',').map((tag) => tag.trim().replaceAll('"', ''));
  return tags.includes('*') || tags.includes(object.summary().entityTag.replaceAll('"', ''));
}

/** Reads the time of a header. Without one no comparison holds. */
function readTime(header: string | undefined): number {
  return Date.parse(header ?? '');
}
