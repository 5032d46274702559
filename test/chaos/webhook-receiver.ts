import { randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

/** An event about a job that the receiver has accepted. */
interface AcceptedEvent {
  id: string;
  type: string;
  jobId: string;
  version: number;
  state: string;
}

/** A receiver of webhooks that fails at random. */
export interface WebhookReceiver extends AsyncDisposable {
  origin: string;
  /** The secret that the messages must be signed with. */
  secret: string;
  /** The accepted events, in the order of their arrival, with repeats. */
  accepted: readonly AcceptedEvent[];
  /** Requests that were refused at random, and those whose signature was wrong. */
  counts: { refused: number; unanswered: number; forged: number };
}

// Higher: a delivery can use up its tries.
const failureShare = 0.3;

/** Opens a receiver that verifies each message with the library of Standard Webhooks. */
export async function openWebhookReceiver(random: () => number): Promise<WebhookReceiver> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const verifier = new Webhook(secret);
  const accepted: AcceptedEvent[] = [];
  const counts = { refused: 0, unanswered: 0, forged: 0 };
  const server = createServer((request, response) => {
    buffer(request).then(
      (body) => receive(body.toString(), request.headers as Record<string, string>, response),
      () => response.destroy(), // its sender was killed
    );
  });

  function receive(body: string, headers: Record<string, string>, response: ServerResponse): void {
    let message: { type: string; data: Omit<AcceptedEvent, 'id' | 'type'> };
    try {
      message = verifier.verify(body, headers) as typeof message;
    } catch {
      counts.forged += 1;
      response.writeHead(401).end();
      return;
    }
    if (random() < failureShare / 2) {
      counts.refused += 1;
      response.writeHead(503).end();
      return;
    }
    const { jobId, version, state } = message.data;
    accepted.push({ id: headers['webhook-id'] ?? '', type: message.type, jobId, version, state });
    if (random() < failureShare / 2) {
      counts.unanswered += 1;
      response.destroy(); // the answer is lost
      return;
    }
    response.writeHead(204).end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    secret,
    accepted,
    counts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
