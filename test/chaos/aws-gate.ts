import { setTimeout as delay } from 'node:timers/promises';

import { openTcpProxy, type Pass, type TcpProxy } from './tcp-proxy.ts';

/** A CreateExportTask on its way to AWS. */
export interface SeenCreate {
  marker: string;
  at: number;
  /** `amz-sdk-request`, as in `attempt=1; max=1`. */
  attempt: string;
}

/** What becomes of a create at the gate. */
export interface CreateFate {
  /** When it is passed on to AWS; left out, never. */
  sendAfterMs?: number;
  /** Done when the answer is there, before it is passed on. */
  beforeAnswer?: () => Promise<void>;
}

/** The way of a replica to AWS: every create is stopped there until somebody has decided. */
export type AwsGate = TcpProxy;

// Further apart than this, AWS takes a signature for expired.
const maxSkewMs = 5 * 60_000;

/** Opens a gate to the emulator at a port. */
export function openAwsGate(
  emulatorPort: number,
  atCreate: (create: SeenCreate) => Promise<CreateFate>,
): Promise<AwsGate> {
  return openTcpProxy(emulatorPort, (pass) =>
    readRequests(async (request) => {
      if (isSkewed(request.head)) return pass.toClient(signatureExpired());
      const create = readCreate(request);
      if (!create) return pass.toServer(request.bytes);
      await letPass(pass, request.bytes, await atCreate(create));
    }),
  );
}

async function letPass(
  pass: Pass,
  bytes: Buffer,
  { sendAfterMs, beforeAnswer }: CreateFate,
): Promise<void> {
  if (sendAfterMs === undefined) return;
  if (beforeAnswer) pass.holdAnswer(beforeAnswer);
  if (sendAfterMs > 0) await delay(sendAfterMs);
  pass.toServer(bytes);
}

interface WholeRequest {
  head: string;
  body: string;
  bytes: Buffer;
}

/** Cuts the bytes of a connection into requests, whose length the SDK always tells. */
function readRequests(act: (request: WholeRequest) => Promise<void> | void) {
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

function readCreate({ head, body }: WholeRequest): SeenCreate | undefined {
  if (header(head, 'x-amz-target') !== 'Logs_20140328.CreateExportTask') return undefined;
  const attempt = header(head, 'amz-sdk-request') ?? '';
  return { marker: JSON.parse(body).taskName, at: Date.now(), attempt };
}

/** As AWS does, and the emulator does not, refuses what was signed long ago or in the future. */
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
