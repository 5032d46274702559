import type { WireRequest } from '../wire/exchange.ts';

/** Reads the payload of a request. SDKs may wrap it in chunks (`aws-chunked`) to add checksums. */
export function readPayload({ headers, body }: WireRequest): Buffer {
  const isChunked =
    headers['content-encoding']?.includes('aws-chunked') ||
    headers['x-amz-content-sha256']?.toString().startsWith('STREAMING-');
  return isChunked ? readChunks(body) : body;
}

/** A chunk is `<hex length>[;chunk-signature=…]\r\n<bytes>\r\n`. The last one has length 0. */
function readChunks(body: Buffer): Buffer {
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
