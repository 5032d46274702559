import { connect, type Socket } from 'node:net';

import { createText } from '../order.ts';

/** Creates that are sent when they are due, whatever has become of the ones before. */
export interface Flood {
  url: string;
  perSecond: number;
  seconds: number;
}

/** What came of them; durations in milliseconds, from when a request was due to its whole answer. */
export interface Flooded {
  accepted: number[];
  turnedAway: number[];
  /** Answered otherwise. */
  others: number;
  /** Until the last of them was answered. */
  tookSeconds: number;
}

// More than the gateway ever lets in. Requests that find all of them waiting are late, and that is
// counted: by when they were due.
const maxConnections = 1_000;
const tickMs = 2;
const create = createText();

process.on('disconnect', () => process.exit());
process.on('message', async (flood: Flood) => process.send?.(await run(flood)));
process.send?.({});

async function run({ url, perSecond, seconds }: Flood): Promise<Flooded> {
  const result: Flooded = { accepted: [], turnedAway: [], others: 0, tookSeconds: 0 };
  const due: number[] = [];
  const all: Caller[] = [];
  const idle: Caller[] = [];
  const { hostname, port } = new URL(url);

  function openAnother(): Caller | undefined {
    if (all.length === maxConnections) return undefined;
    const caller = openCaller(Number(port), hostname, (status, tookMs) => {
      if (status === 201) result.accepted.push(tookMs);
      else if (status === 503) result.turnedAway.push(tookMs);
      else result.others += 1;
      const next = due.shift();
      if (next === undefined) idle.push(caller);
      else caller.send(next);
    });
    all.push(caller);
    return caller;
  }

  const total = Math.max(1, Math.round(perSecond * seconds));
  const beganAt = performance.now();
  let sent = 0;
  while (sent < total) {
    await new Promise((resolve) => setTimeout(resolve, tickMs));
    const dueByNow = Math.min(
      total,
      Math.floor(((performance.now() - beganAt) / 1_000) * perSecond),
    );
    for (; sent < dueByNow; sent++) {
      const dueAt = beganAt + (sent / perSecond) * 1_000;
      const caller = idle.pop() ?? openAnother();
      if (caller) caller.send(dueAt);
      else due.push(dueAt);
    }
  }
  const answered = () => result.accepted.length + result.turnedAway.length + result.others;
  while (answered() < total) await new Promise((resolve) => setTimeout(resolve, tickMs));
  for (const caller of all) caller.close();
  return { ...result, tookSeconds: (performance.now() - beganAt) / 1_000 };
}

interface Caller {
  send(dueAt: number): void;
  close(): void;
}

/**
 * One kept connection, one request at a time; written on the socket, as callers.ts does and says why.
 * A connection that ends is replaced; the status of its request is 0.
 */
function openCaller(
  port: number,
  hostname: string,
  onAnswer: (status: number, tookMs: number) => void,
): Caller {
  let dueAt: number | undefined;
  let isClosed = false;
  let socket = open();

  function open(): Socket {
    let received = '';
    const opened = connect(port, hostname).setNoDelay(true).setEncoding('latin1');
    opened.on('error', () => {}); // which closes it
    opened.on('data', (chunk: string) => {
      received += chunk;
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1]);
      if (received.length < headEnd + 4 + length) return;
      const status = Number(received.slice(9, 12));
      received = '';
      end(status);
    });
    opened.once('close', () => {
      if (isClosed) return;
      socket = open();
      end(0);
    });
    return opened;
  }

  function end(status: number): void {
    if (dueAt === undefined) return;
    const tookMs = performance.now() - dueAt;
    dueAt = undefined;
    onAnswer(status, tookMs);
  }

  return {
    send(at) {
      dueAt = at;
      socket.write(create);
    },
    close() {
      isClosed = true;
      socket.destroy();
    },
  };
}
