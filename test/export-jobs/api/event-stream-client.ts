import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createConnection } from 'node:net';

/** A message of an event stream, its data parsed. */
interface Message {
  id: number;
  event: string;
  data: Record<string, unknown>;
}

/** An event stream of a client. */
export interface EventStream extends Disposable {
  response: IncomingMessage;
  /** All messages so far. */
  messages: Message[];
  /** The text so far. */
  text(): string;
  /** Whether the service has ended the stream regularly. */
  isComplete(): boolean;
  /** Resolves when the stream is over, on either side. */
  over: Promise<void>;
}

/** Opens the event stream of a job; resolves when the answer begins. */
export async function openEventStream(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const sent = request(url + path, { headers, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const messages: Message[] = [];
  let [text, rest] = ['', ''];
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    rest += chunk;
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) if (block.startsWith('id: ')) messages.push(toMessage(block));
  });
  response.on('error', () => {}); // the test may kill the service
  const over = new Promise<void>((resolve) => response.once('close', resolve));
  return {
    response,
    messages,
    text: () => text,
    isComplete: () => response.complete,
    over,
    [Symbol.dispose]: () => void sent.destroy(),
  };
}

function toMessage(block: string): Message {
  const [, id, event, data] = /^id: (\d+)\nevent: (\S+)\ndata: (.*)$/.exec(block) ?? [];
  if (data === undefined) throw new Error(`Not a message: ${block}`);
  return { id: Number(id), event: event ?? '', data: JSON.parse(data) };
}

/** Requests an event stream and never reads a byte of it. Returns the socket. */
export async function openUnreadStream(port: number, path: string) {
  const socket = createConnection({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.pause();
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}
