import type { ProblemDocument } from '../documents.ts';
import { exitCodes, makeCommandError } from '../exit-codes.ts';

/** An answer of the gateway. */
export interface GatewayAnswer {
  status: number;
  /** The document as it came. */
  bytes: Uint8Array;
  /** The same, parsed. Undefined if there is none. */
  document: unknown;
  etag: string | undefined;
  /** The clock of the gateway, in epoch ms. */
  date: number | undefined;
  retryAfterMs: number | undefined;
  /** The credentials that a 401 asks for: its `WWW-Authenticate`. */
  challenge: string | undefined;
}

/** What became of an attempt to send a request. */
export type Attempt =
  | { outcome: 'answered'; answer: GatewayAnswer }
  /** The gateway did not answer. Another attempt may help. */
  | { outcome: 'away'; reason: string; retryAfterMs?: number | undefined };

const proxyStatuses = [429, 502, 503, 504];

/** The error of something at the URL that is not the gateway. */
export const notTheGateway = (base: string, what: string) =>
  makeCommandError(
    exitCodes.gatewayAway,
    `${base} ${what}. It is not the gateway: check LOG_EXPORT_URL.`,
  );

/** Reads an answer. @throws CommandError of exit code 5 if it is not from the gateway */
export async function readAnswer(response: Response, base: string): Promise<Attempt> {
  const { status, headers } = response;
  const type = headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  if (status >= 300 && status < 400 && status !== 304) {
    await response.body?.cancel();
    throw notTheGateway(base, `redirects to ${readOrigin(headers.get('location'), base)}`);
  }
  const isProblemType = type === 'application/problem+json';
  // The gateway answers its errors as problems. The errors of proxies are HTML, text or JSON.
  if (!isProblemType && proxyStatuses.includes(status)) {
    await response.body?.cancel();
    const reason = `a proxy in front of it answers ${status}`;
    return { outcome: 'away', reason, retryAfterMs: readRetryAfter(headers) };
  }
  const isJson = isProblemType || type === 'application/json';
  if (!isJson && status !== 204 && status !== 304) {
    await response.body?.cancel();
    throw notTheGateway(base, `answers ${status} with ${type === '' ? 'no content type' : type}`);
  }
  const bytes = await response.bytes();
  const document = isJson ? parse(bytes, base) : undefined;
  if (status >= 400 && !isProblem(document)) {
    throw notTheGateway(base, `answers ${status} without a problem`);
  }
  const date = Date.parse(headers.get('date') ?? '');
  return {
    outcome: 'answered',
    answer: {
      status,
      bytes,
      document,
      etag: headers.get('etag') ?? undefined,
      date: Number.isNaN(date) ? undefined : date,
      retryAfterMs: readRetryAfter(headers),
      challenge: headers.get('www-authenticate') ?? undefined,
    },
  };
}

/** Reads `Retry-After` in milliseconds. A date counts from the clock of its sender. */
function readRetryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? '';
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1_000
    : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return ms >= 0 ? ms : undefined;
}

function parse(bytes: Uint8Array, base: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw notTheGateway(base, 'answers with incomplete or invalid JSON');
  }
}

/** Whether a document has the members of a problem. */
export function isProblem(document: unknown): document is ProblemDocument {
  if (typeof document !== 'object' || document === null) return false;
  const { type, title, detail } = document as Record<string, unknown>;
  return [type, title, detail].every((member) => typeof member === 'string');
}

/** The origin of a redirect. Its path and query may have secrets. */
function readOrigin(location: string | null, base: string): string {
  return location !== null && URL.canParse(location, base)
    ? new URL(location, base).origin
    : 'nowhere';
}
