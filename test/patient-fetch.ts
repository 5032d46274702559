import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const withoutBody = [204, 304];

/**
 * Sends a request without any timeout. That of `fetch` is 300 seconds, which are soon over when a test
 * skips the timeouts of the SDK.
 */
export async function patientFetch(
  url: string,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: string },
): Promise<Response> {
  const sent = request(url, { method, headers, agent: false }).end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const received = await text(answer);
  const { statusCode: status = 0, headersDistinct } = answer;
  const pairs = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return new Response(withoutBody.includes(status) ? null : received, { status, headers: pairs });
}
