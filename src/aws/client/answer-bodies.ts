import type { IncomingMessage } from 'node:http';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

// Events of 1 MB, each with the name of its log stream, are the longest answer. Fewer: a page of AWS is refused.
// More: a few answers of a peer that is not AWS fill the memory.
const maxBytes = 8 * 1_024 * 1_024;

// A quoted key cannot occur unescaped inside a JSON string, so this matches members only.
const longInstant = /("(?:from|to)"\s*:\s*)(\d{16,})(\s*[,}])/g;

type MiddlewareStack = CloudWatchLogsClient['middlewareStack'];

/**
 * Reads the body of an answer. The SDK would read any number of bytes.
 * @throws an error named UnexpectedAnswer if there are more than `max` bytes; its connection is closed then
 */
export async function readAnswerBody(
  body: AsyncIterable<Uint8Array>,
  max = maxBytes,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > max) throw tooLong(body as IncomingMessage);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads the body of an answer of CloudWatch Logs, with exact 64-bit integers: the SDK parses them into
 * numbers and silently rounds those above 2^53. So `from` and `to` of 16 digits or more become JSON strings
 * before it parses.
 */
export async function readExactly(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const text = (await readAnswerBody(body)).toString('utf8');
  return Buffer.from(text.replace(longInstant, '$1"$2"$3'));
}

/** A middleware that adds the `Date` header to the answer's `$metadata` as `answeredAt`. */
export const readAnsweredAt: Parameters<MiddlewareStack['use']>[0] = {
  applyToStack(stack) {
    stack.add(
      (next) => async (args) => {
        const answer = await next(args);
        const { response } = answer as { response: { headers: Record<string, string> } };
        const answeredAt = Date.parse(response.headers.date ?? '');
        if (!Number.isNaN(answeredAt))
          Object.assign(answer.output?.$metadata ?? {}, { answeredAt });
        return answer;
      },
      { step: 'deserialize', priority: 'high', name: 'readAnsweredAt' },
    );
  },
};

function tooLong({ statusCode, headers = {} }: Partial<IncomingMessage>): Error {
  const requestId = headers['x-amzn-requestid'] ?? headers['x-amz-request-id'];
  const $metadata = { httpStatusCode: statusCode, ...(requestId !== undefined && { requestId }) };
  const error = new Error('The answer of AWS is too long');
  return Object.assign(error, { name: 'UnexpectedAnswer', $metadata });
}
