import http, { type IncomingMessage, type ProxyEnv } from 'node:http';
import https from 'node:https';

// The keys of the largest issuers are some 10 KiB. Whoever answers more wants our memory.
const largestBytes = 524_288;

/** How a document is asked for. */
interface How {
  headers: Record<string, string>;
  signal: AbortSignal;
  /** The forward proxy on the way, in the words of Node's agents; none when undefined. */
  proxyEnv: ProxyEnv | undefined;
}

/**
 * Fetches a JSON document. Redirects are not followed: what is asked for is what was configured.
 * @throws when the answer is not a 200, is larger than 512 KiB or not JSON, or when the signal aborts
 */
export async function fetchJson(url: string, how: How): Promise<unknown> {
  try {
    return await readJson(url, how);
  } catch (error) {
    throw how.signal.aborted ? how.signal.reason : error; // Node calls a timeout an abort
  }
}

async function readJson(url: string, how: How): Promise<unknown> {
  const answer = await get(new URL(url), how);
  if (answer.statusCode !== 200) {
    answer.destroy();
    throw new Error(`${url} answered ${answer.statusCode}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > largestBytes) throw new Error(`${url} answered more than ${largestBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

// Not by fetch: Node lets it use a proxy only together with everything else in the process.
function get(url: URL, { headers, signal, proxyEnv }: How): Promise<IncomingMessage> {
  const { Agent, request } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ proxyEnv });
  return new Promise((resolve, reject) => {
    request(url, { headers, signal, agent }).on('response', resolve).on('error', reject).end();
  });
}
