import { exitCodes, makeCommandError } from '../exit-codes.ts';
import type { Surroundings } from '../surroundings.ts';
import { type Attempt, readAnswer } from './answer.ts';

// From the request to the whole answer. Lower: a busy gateway is given up. Higher: the person waits longer
// until the command says that nothing answers.
const answerMs = 30_000;

const reasons: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was incomplete',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name cannot be looked up',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
};

// Another attempt does not change them: a certificate, TLS, something that is not HTTP, a URL.
const permanent =
  /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS|^ERR_SSL|^EPROTO|^HTTPParserError|^ERR_INVALID|^bad port/;

/** A request of the command line. */
export interface GatewayRequest {
  method: 'GET' | 'POST';
  /** The path and query. */
  path: string;
  /** Those of further attempts, without a wait: so the return of the gateway is noticed at once. Default: `path`. */
  retryPath?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** How long the gateway may wait before it answers, in milliseconds. Default: 0. */
  waitMs?: number;
}

/** Where a request is sent, and by what. */
export interface SendingOptions
  extends Pick<
    Surroundings,
    'fetch' | 'timeout' | 'interrupted' | 'version' | 'commandName' | 'now'
  > {
  base: string;
  /** When the command gives up, in epoch ms. */
  deadline: number;
  readCredential(): Record<string, string>;
}

/** Sends a request, and resolves when its answer begins. It follows no redirect: that would leak the credential. */
export function beginRequest(
  { method, path, headers, body }: GatewayRequest,
  options: SendingOptions,
  signal: AbortSignal,
): Promise<Response> {
  const hasBody = body !== undefined;
  return options.fetch(options.base + path, {
    method,
    headers: {
      accept: 'application/json, application/problem+json',
      'user-agent': `log-export/${options.version}`,
      ...(hasBody && { 'content-type': 'application/json' }),
      ...headers,
      ...options.readCredential(),
    },
    ...(hasBody && { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal,
  });
}

/** Sends a request once. @throws CommandError if another attempt cannot help */
export async function sendOnce(request: GatewayRequest, options: SendingOptions): Promise<Attempt> {
  // A second longer than the deadline: an answer that arrives with it still counts.
  const leftMs = Math.max(0, options.deadline - options.now()) + 1_000;
  const late = options.timeout(Math.min(answerMs + (request.waitMs ?? 0), leftMs));
  const signal = AbortSignal.any([late, options.interrupted]);
  try {
    return await readAnswer(await beginRequest(request, options, signal), options.base);
  } catch (error) {
    if (late.aborted) return { outcome: 'away', reason: 'no answer arrived in time' };
    return { outcome: 'away', reason: explainFailure(error, options) };
  }
}

/** Says why an attempt failed. @throws the error itself if another attempt cannot help */
export function explainFailure(error: unknown, { base, interrupted }: SendingOptions): string {
  if (interrupted.aborted || !(error instanceof TypeError)) throw error;
  const code = codeOf(error.cause);
  if (permanent.test(code)) {
    const hint = /CERT|SELF_SIGNED|UNABLE_TO_/.test(code)
      ? 'If a private CA has signed the certificate, set NODE_EXTRA_CA_CERTS.'
      : 'Check LOG_EXPORT_URL.';
    throw makeCommandError(
      exitCodes.gatewayAway,
      `The connection to ${base} failed (${code}). ${hint}`,
    );
  }
  return reasons[code] ?? `the connection failed${code === '' ? '' : ` (${code})`}`;
}

/** The code of an error, or of the first of several: a host with two addresses fails twice. Some have only a name. */
function codeOf(cause: unknown): string {
  const { code, errors, name, message } = (cause ?? {}) as Partial<AggregateError> & {
    code?: string;
  };
  if (code !== undefined) return code;
  if (errors !== undefined && errors.length > 0) return codeOf(errors[0]);
  return (name === 'Error' ? message : name) ?? '';
}
