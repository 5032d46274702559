import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

import type { ClientCall } from './check-calls.ts';

/** A job as a client posts it, again and again with the same key. */
export interface PostedJob {
  key: string;
  target: string;
  destination: string;
}

/** Posts a job; a client that gives up early does not hear what came of it. Never throws. */
export function postJob(
  port: number,
  { key, target, destination }: PostedJob,
  giveUpAfterMs: number | undefined,
): Promise<ClientCall> {
  const call = { idempotencyKey: key, caller: 'anonymous' };
  return new Promise((resolve) => {
    const unheard = () => resolve({ ...call, status: undefined });
    const posting = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: `/export-jobs?target=${target}`,
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
    });
    posting.on('error', unheard); // also when given up before the answer
    posting.on('response', (answer) => {
      readAnswer(answer).then((read) => resolve({ ...call, ...read }), unheard);
    });
    if (giveUpAfterMs !== undefined) setTimeout(() => posting.destroy(), giveUpAfterMs);
    posting.end(
      JSON.stringify({
        logGroupNames: ['/app'],
        destination,
        from: '2024-05-01T00:00:00Z',
        to: '2024-05-02T00:00:00Z',
      }),
    );
  });
}

async function readAnswer(answer: IncomingMessage) {
  const { 'content-type': contentType, 'retry-after': retryAfter } = answer.headers;
  const status = answer.statusCode ?? 0;
  const body = await text(answer);
  return {
    status,
    ...(contentType !== undefined && { contentType }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(status === 202 && { jobId: JSON.parse(body).id }),
  };
}
