import type { ServerResponse } from 'node:http';

/** Sends interim answers one after the other, then calls `end`, unless the connection is closed before. */
export function sendInterimAnswers(
  response: ServerResponse,
  { count, end }: { count: number; end: () => void },
): void {
  let sent = 0;
  const send = () => {
    if (response.destroyed) return;
    if (sent === count) return end();
    sent += 1;
    response.writeProcessing(() => setImmediate(send));
  };
  send();
}
