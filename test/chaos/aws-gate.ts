import { setTimeout as delay } from 'node:timers/promises';

import { type Ends, openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A CreateExportTask on its way to AWS. */
export interface CreateRequest {
  marker: string;
  at: number;
  /** `amz-sdk-request`, as in `attempt=1; max=1`. */
  attempt: string;
}

/** What the gate does with a create. */
export interface CreateHandling {
  /** The delay before it is forwarded to AWS; never when absent. */
  sendAfterMs?: number;
  /** Called when the answer has arrived, before it is forwarded. */
  beforeAnswer?: () => Promise<void>;
}

/** The proxy between a replica and AWS. It holds every create until the scenario has decided. */
export type AwsGate = TcpProxy;

// AWS rejects a signature that is older or newer than this.
const maxSkewMs = 5 * 60_000;

/** Opens a gate to the emulator at a port. */
export function openAwsGate(
  emulatorPort: number,
  atCreate: (create: CreateRequest) => Promise<CreateHandling>,
): Promise<AwsGate> {
  return openTcpProxy(emulatorPort, (ends) =>
    readRequests(async (request) => {
      if (isSkewed(request.head)) return ends.toClient(signatureExpired());
      const create = readCreate(request);
      if (!create) return ends.toServer(request.bytes);
      await forward(ends, request.bytes, await atCreate(create));
    }),
  );
}

async function forward(
  ends: Ends,
  bytes: Buffer,
  { sendAfterMs, beforeAnswer }: CreateHandling,
): Promise<void> {
  if (sendAfterMs === undefined) return;
  if (beforeAnswer) ends.delayAnswer(beforeAnswer);
  if (sendAfterMs > 0) await delay(sendAfterMs);
  ends.toServer(bytes);
}

interface HttpRequest {
  head: string;
  body: string;
  bytes: Buffer;
}

/** Splits the bytes of a connection into requests. The SDK always sends Content-Length. */
function readRequests(act: (request: HttpRequest) => Promise<void> | void) {
  let received: Buffer = Buffer.alloc(0);
  return (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = received.toString('latin1', 0, headEnd);
      const length = headEnd + 4 + Number(header(head, 'content-length') ?? 0);
      if (received.length < length) return;
      const bytes = received.subarray(0, length);
      received = received.subarray(length);
      void act({ head, body: bytes.toString('utf8', headEnd + 4), bytes });
    }
  };
}

const header = (head: string, name: string) =>
  new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim();

function readCreate({ head, body }: HttpRequest): CreateRequest | undefined {
  if (header(head, 'x-amz-target') !== 'Logs_20140328.CreateExportTask') return undefined;
  const attempt = header(head, 'amz-sdk-request') ?? '';
  return { marker: JSON.parse(body).taskName, at: Date.now(), attempt };
}

/** Whether the signature is too old or too new. AWS refuses it; the emulator does not check it. */
function isSkewed(head: string): boolean {
  if (!header(head, 'x-amz-target')) return false;
  const [, year, month, day, hours, minutes, seconds] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(header(head, 'x-amz-date') ?? '') ?? [];
  const signedAt = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return Math.abs(signedAt - Date.now()) > maxSkewMs;
}

function signatureExpired(): Buffer {
  const body = JSON.stringify({
    __type: 'InvalidSignatureException',
    message: 'Signature expired: it is not within 5 minutes of the time of the server.',
  });
  const head = [
    'HTTP/1.1 400 Bad Request',
    `date: ${new Date().toUTCString()}`,
    'content-type: application/x-amz-json-1.1',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
