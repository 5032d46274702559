import type { WireRequest } from '../wire/exchange.ts';

/**
 * The payload of a request: SDKs wrap it in chunks of their own (`aws-chunked`) to add checksums.
 */
export function readPayload({ headers, body }: WireRequest): Buffer {
  const isChunked =
    headers['content-encoding']?.includes('aws-chunked') ||
    headers['x-amz-content-sha256']?.toString().startsWith('STREAMING-');
  return isChunked ? unwrap(body) : body;
}

/** Chunks are `<hex length>[;chunk-signature=…]\r\n<bytes>\r\n`, the last has length 0. */
function unwrap(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.toString('latin1', at, lineEnd), 16);
    if (lineEnd < 0 || !(length > 0)) return Buffer.concat(chunks);
    const start = lineEnd + 2;
    chunks.push(body.subarray(start, start + length));
    at = start + length + 2;
  }
}
