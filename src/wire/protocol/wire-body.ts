import { exactDigits } from '#validation/int64.ts';

/** The media type of AWS JSON 1.1, in requests and answers. */
export const wireMediaType = 'application/x-amz-json-1.1';

/**
 * Writes a value as JSON. A `bigint` keeps all its digits. The answer is bytes, because Fastify adds a charset
 * to the media type of a text.
 */
export function toWireBody(value: unknown): Buffer {
  const text = JSON.stringify(value, (_name, member) =>
    typeof member === 'bigint' ? exactDigits(member) : member,
  );
  return Buffer.from(text);
}
