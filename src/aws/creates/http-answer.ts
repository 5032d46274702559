/** An answer of HTTP. */
export interface HttpAnswer {
  statusCode: number;
  /** By name in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** An answer, and whether its connection may carry another request. */
export interface ReceivedAnswer {
  answer: HttpAnswer;
  isConnectionReusable: boolean;
}

// The answer to a create has some hundred bytes. Fewer: a long message of AWS ends as an unknown outcome.
// More: a peer that is not AWS fills the memory.
const maxAnswerBytes = 256 * 1_024;

// The peer announces an idle time that leaves too little room above that of our connections.
const closesSoon = /\btimeout=[0-3]\b/i;

const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: [^\0\r\n]*)?$/;
const field = /^([!#$%&'*+\-.^_`|~\w]+):([^\0\r\n]*)$/;

/**
 * Reads the answer to one request from all bytes received since it was sent. Returns `undefined` while
 * bytes are missing. It understands what AWS sends, and nothing that two parsers may read differently:
 * for a create, an answer that is not understood is an unknown outcome, which is always safe.
 * @throws an error named InvalidAnswer
 */
export function readHttpAnswer(received: Buffer, isEnded: boolean): ReceivedAnswer | undefined {
  if (received.length > maxAnswerBytes) throw invalidAnswer('it is too long');
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
  const [, version, status] = statusLine.exec(first) ?? [];
  if (status === undefined) throw invalidAnswer('its status line is malformed');
  const rest = received.subarray(headEnd + 4);
  const statusCode = Number(status);
  if (statusCode === 101) throw invalidAnswer('it switches protocols');
  if (statusCode < 200) return readHttpAnswer(rest, isEnded); // an interim answer
  const headers = readHeaders(lines);
  const framed = readBody(rest, { statusCode, headers, isEnded });
  if (!framed) return undefined;
  const { body, length } = framed;
  const isConnectionReusable =
    version === '1' &&
    length === rest.length && // nobody asked for more bytes
    !isEnded &&
    !/\bclose\b/i.test(headers.connection ?? '') &&
    !closesSoon.test(headers['keep-alive'] ?? '');
  return { answer: { statusCode, headers, body }, isConnectionReusable };
}

function readHeaders(lines: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, text = ''] = field.exec(line) ?? [];
    if (name === undefined) throw invalidAnswer('a header field is malformed');
    const key = name.toLowerCase();
    const known = headers.get(key);
    headers.set(key, known === undefined ? text.trim() : `${known}, ${text.trim()}`);
  }
  return Object.fromEntries(headers);
}

/** A body, and the number of bytes that it took. */
interface FramedBody {
  body: Buffer;
  length: number;
}

function readBody(
  rest: Buffer,
  { statusCode, headers, isEnded }: Omit<HttpAnswer, 'body'> & { isEnded: boolean },
): FramedBody | undefined {
  const { 'content-length': contentLength, 'transfer-encoding': encoding } = headers;
  if (encoding !== undefined) {
    if (contentLength !== undefined || encoding.toLowerCase() !== 'chunked')
      throw invalidAnswer('its length is ambiguous');
    return readChunks(rest);
  }
  if (statusCode === 204 || statusCode === 304) return { body: Buffer.alloc(0), length: 0 };
  if (contentLength === undefined) {
    // The end of the connection ends the body.
    return isEnded ? { body: rest, length: rest.length } : undefined;
  }
  if (!/^\d{1,9}$/.test(contentLength)) throw invalidAnswer('its length is malformed');
  const length = Number(contentLength);
  return rest.length < length ? undefined : { body: rest.subarray(0, length), length };
}

function readChunks(rest: Buffer): FramedBody | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const [, digits] =
      /^([\da-f]{1,8})[ \t]*(?:;|$)/i.exec(rest.toString('latin1', at, lineEnd)) ?? [];
    if (digits === undefined) throw invalidAnswer('a chunk is malformed');
    const size = Number.parseInt(digits, 16);
    const begin = lineEnd + 2;
    if (size === 0) return endOfChunks(rest, begin, chunks);
    at = begin + size + 2;
    if (rest.length < at) return undefined;
    if (rest.toString('latin1', at - 2, at) !== '\r\n') throw invalidAnswer('a chunk is malformed');
    chunks.push(rest.subarray(begin, begin + size));
  }
}

/** Skips the trailer, which ends with an empty line. */
function endOfChunks(rest: Buffer, begin: number, chunks: Buffer[]): FramedBody | undefined {
  for (let at = begin; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    if (lineEnd === at) return { body: Buffer.concat(chunks), length: lineEnd + 2 };
    at = lineEnd + 2;
  }
}

function invalidAnswer(why: string): Error {
  return Object.assign(new Error(`The answer is not valid HTTP: ${why}`), {
    name: 'InvalidAnswer',
  });
}
