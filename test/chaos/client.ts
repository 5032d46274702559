import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

import type { ClientCall } from './check-calls.ts';

/** A job that a client posts repeatedly with the same idempotency key. */
export interface JobToCreate {
  key: string;
  target: string;
  destination: string;
}

/** Posts a job. A client that disconnects early gets no answer. Never throws. */
export function createJob(
  port: number,
  { key, target, destination }: JobToCreate,
  disconnectAfterMs: number | undefined,
): Promise<ClientCall> {
  const call = { idempotencyKey: key, caller: 'anonymous' };
  return new Promise((resolve) => {
    const resolveWithoutAnswer = () => resolve({ ...call, status: undefined });
    const posting = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: `/export-jobs?target=${target}`,
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
    });
    posting.on('error', resolveWithoutAnswer); // also after an early disconnect
    posting.on('response', (answer) => {
      readAnswer(answer).then((read) => resolve({ ...call, ...read }), resolveWithoutAnswer);
    });
    if (disconnectAfterMs !== undefined) setTimeout(() => posting.destroy(), disconnectAfterMs);
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
