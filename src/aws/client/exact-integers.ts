import { Readable } from 'node:stream';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

// A quoted key cannot occur unescaped inside a JSON string, so this matches members only.
const longInstant = /("(?:from|to)"\s*:\s*)(\d{16,})(\s*[,}])/g;

type MiddlewareStack = CloudWatchLogsClient['middlewareStack'];

/**
 * A middleware that keeps 64-bit integers exact: the SDK parses them into numbers and silently rounds
 * those above 2^53. So `from` and `to` of 16 digits or more become JSON strings before it parses. The
 * `Date` header is added to the answer's `$metadata` as `answeredAt`.
 */
export const readExactly: Parameters<MiddlewareStack['use']>[0] = {
  applyToStack(stack) {
    stack.add(
      (next) => async (args) => {
        const answer = await next(args);
        const { response } = answer as { response: { body: AsyncIterable<Buffer> } };
        const chunks: Buffer[] = [];
        for await (const chunk of response.body) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString('utf8').replace(longInstant, '$1"$2"$3');
        response.body = Readable.from([Buffer.from(text)]);
        return answer;
      },
      { step: 'deserialize', priority: 'low', name: 'readLongInstants' },
    );
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
