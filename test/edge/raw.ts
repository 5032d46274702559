import { connect, type Socket } from 'node:net';

/** A parsed answer. Header names are in lower case. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** The received bytes of a connection, and whether the server closed it. */
export interface Talk {
  answers: RawAnswer[];
  isClosed: boolean;
}

/** Opens a connection to a world; later errors are ignored. */
export function dial(port: number): Socket {
  return connect({ port, host: '127.0.0.1' })
    .setNoDelay()
    .on('error', () => {});
}

/**
 * Sends bytes (text as latin1) and reads the given number of answers. If the last one announces the close
 * of the connection, waits for it.
 */
export async function talk(port: number, bytes: string, expected = 1): Promise<Talk> {
  const socket = dial(port);
  socket.write(bytes, 'latin1');
  const answered = await listen(socket, bytes, expected);
  socket.destroy();
  return answered;
}

/** Reads the given number of answers, as `talk` does. */
export function listen(socket: Socket, sent: string, expected = 1): Promise<Talk> {
  const methods = sent.split(/\r?\n\r?\n/).map((request) => request.split(' ', 1)[0] ?? '');
  const { answers, read } = openReader(methods);
  return new Promise((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      read(bytes);
      const isLast = answers.length >= expected;
      if (isLast && answers.at(-1)?.headers.connection !== 'close') {
        resolve({ answers, isClosed: false });
      }
    });
    socket.on('close', () => resolve({ answers, isClosed: true }));
  });
}

/** The complete answers in the received bytes; the methods show which answers have no body. */
export function readAnswers(received: string, methods: string[]): RawAnswer[] {
  const { answers, read } = openReader(methods);
  read(Buffer.from(received));
  return answers;
}

/** Adds to `answers` those that are complete after each `read`. It reads no answer twice. */
function openReader(methods: string[]) {
  const answers: RawAnswer[] = [];
  let rest = Buffer.alloc(0);
  function read(bytes: Buffer): void {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [statusLine = '', ...lines] = rest.subarray(0, end).toString().split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
        }),
      );
      const status = Number(statusLine.split(' ')[1]);
      if (status < 200) {
        rest = rest.subarray(end + 4); // 100 Continue precedes the answer
        continue;
      }
      const isBodiless = methods[answers.length] === 'HEAD';
      const length = isBodiless ? 0 : Number(headers['content-length'] ?? 0);
      const body = rest.subarray(end + 4, end + 4 + length);
      if (body.length < length) return;
      answers.push({ status, headers, text: body.toString() });
      rest = rest.subarray(end + 4 + length);
    }
  }
  return { answers, read };
}

/** A request as text: its request line, its headers, its body. */
export function request(line: string, headers: Record<string, string> = {}, body = ''): string {
  const all = {
    Host: 'gateway',
    ...(body && { 'Content-Length': String(body.length) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
