import { connect, type Socket } from 'node:net';

import { createText } from '../requests.ts';

/** An open-loop load: each create is sent when it is due, even if earlier ones are unanswered. */
export interface Flood {
  url: string;
  perSecond: number;
  seconds: number;
}

/** The answers. Durations are in milliseconds, from the due time of a request to its complete answer. */
export interface FloodResult {
  accepted: number[];
  refused: number[];
  /** The number of other answers. */
  others: number;
  /** The time until the last answer. */
  tookSeconds: number;
}

// More than the gateway admits at once. A request that finds no idle connection is sent late, and its
// duration still counts from its due time.
const maxConnections = 1_000;
const tickMs = 2;
const create = createText();

process.on('disconnect', () => process.exit());
process.on('message', async (flood: Flood) => process.send?.(await run(flood)));
process.send?.({});

async function run({ url, perSecond, seconds }: Flood): Promise<FloodResult> {
  const result: FloodResult = { accepted: [], refused: [], others: 0, tookSeconds: 0 };
  const due: number[] = [];
  const all: Caller[] = [];
  const idle: Caller[] = [];
  const { hostname, port } = new URL(url);

  function openAnother(): Caller | undefined {
    if (all.length === maxConnections) return undefined;
    const caller = openCaller(Number(port), hostname, (status, tookMs) => {
      if (status === 201) result.accepted.push(tookMs);
      else if (status === 503) result.refused.push(tookMs);
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
  const answered = () => result.accepted.length + result.refused.length + result.others;
  while (answered() < total) await new Promise((resolve) => setTimeout(resolve, tickMs));
  for (const caller of all) caller.close();
  return { ...result, tookSeconds: (performance.now() - beganAt) / 1_000 };
}

interface Caller {
  send(dueAt: number): void;
  close(): void;
}

/**
 * One kept connection, one request at a time, written to the socket as in callers.ts. A closed
 * connection is replaced, and the status of its request is 0.
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
    opened.on('error', () => {}); // 'close' follows
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
