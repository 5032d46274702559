// The keys of the largest issuers are some 10 KiB. Whoever answers more wants our memory.
const largestBytes = 524_288;

/**
 * Fetches a JSON document. Redirects are not followed: what is asked for is what was configured.
 * @throws when the answer is not a 200, is larger than 512 KiB or not JSON, or when the signal aborts
 */
export async function fetchJson(
  url: string,
  { headers, signal }: { headers: Record<string, string>; signal: AbortSignal },
): Promise<unknown> {
  const response = await fetch(url, { headers, signal, redirect: 'manual' });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > largestBytes) throw new Error(`${url} answered more than ${largestBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}
