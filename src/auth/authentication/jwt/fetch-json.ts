import http, { type IncomingMessage, type ProxyEnv } from 'node:http';
import https from 'node:https';
import { connectAttemptMs, limitInterimAnswers } from '#outbound/send-request.ts';

// The keys of the largest issuers are some 10 KiB. A larger answer could exhaust the memory.
const maxBytes = 524_288;

/** How to fetch a document. */
interface FetchOptions {
  headers: Record<string, string>;
  signal: AbortSignal;
  /** The forward proxy, in the form of Node's agents; none when undefined. */
  proxyEnv: ProxyEnv | undefined;
  /** How long the proxy may take to open a tunnel, in milliseconds; 5 s when absent. */
  tunnelMs?: number;
}

/**
 * Fetches a JSON document. Redirects are not followed: only the configured URL is trusted.
 * @throws if the status is not 200, the body is larger than 512 KiB or not JSON, or the signal aborts
 */
export async function fetchJson(url: string, options: FetchOptions): Promise<unknown> {
  try {
    return await readJson(url, options);
  } catch (error) {
    throw options.signal.aborted ? options.signal.reason : error; // Node reports a timeout as an abort
  }
}

async function readJson(url: string, options: FetchOptions): Promise<unknown> {
  const answer = await get(new URL(url), options);
  if (answer.statusCode !== 200) {
    answer.destroy();
    throw new Error(`${url} answered ${answer.statusCode}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`${url} answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

// Not with fetch: Node can only give it a proxy together with everything else in the process.
function get(
  url: URL,
  { headers, signal, proxyEnv, tunnelMs = 5_000 }: FetchOptions,
): Promise<IncomingMessage> {
  const { Agent, request } = url.protocol === 'https:' ? https : http;
  // Without a timeout, Node waits for the answer to a CONNECT for ever, and keeps the connection.
  const agent = new Agent({
    proxyEnv,
    timeout: tunnelMs,
    autoSelectFamilyAttemptTimeout: connectAttemptMs,
  });
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Node ends a request only when it has a connection, not while a proxy is silent.
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    limitInterimAnswers(request(url, { headers, signal, agent }))
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
}
