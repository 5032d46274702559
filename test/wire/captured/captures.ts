import { readdirSync, readFileSync } from 'node:fs';

/** A request as a client sent it. */
export interface CapturedRequest {
  /** The operation of CloudWatch Logs. */
  operation: string;
  /** The request line and the headers. */
  head: string[];
  body: string;
  /** The task id that the client got as the answer to its create. */
  taskId?: string;
  /** Whether the answer was lost. The client sent its create again. */
  isLost?: boolean;
}

/** The requests of one client, in the order in which they were sent. */
interface Capture {
  /** The client and its version. */
  client: string;
  requests: CapturedRequest[];
}

/**
 * The access key of all captured requests. The version of the secret is 1. Only the kernel version in the
 * User-Agent, which is not signed, was replaced after the capture.
 */
export const capturedKey = {
  name: 'billing',
  wireSecret: 'the wire secret of the captured requests',
};

const folder = new URL('requests/', import.meta.url);

/**
 * Unchanged clients with their default settings, captured by a server that answered like AWS. The requests
 * of the Dart client are built from the published source of its packages.
 */
export const captures: Capture[] = readdirSync(folder).map((file) =>
  JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
);

/** Returns the bytes of a request, as text. */
export const bytesOf = ({ head, body }: CapturedRequest): string =>
  [...head, '', body].join('\r\n');

/** Returns when a request was signed, in epoch ms. */
export function signedAt({ head }: CapturedRequest): number {
  const [, ...parts] =
    /^x-amz-date: (\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/im.exec(head.join('\n')) ?? [];
  const [year = 0, month = 0, ...rest] = parts.map(Number);
  return Date.UTC(year, month - 1, ...rest);
}
