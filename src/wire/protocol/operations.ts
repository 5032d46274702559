import type { IncomingHttpHeaders } from 'node:http';

/** The operations of CloudWatch Logs that the service answers. */
export type WireOperation = (typeof operations)[number];
const operations = [
  'CreateExportTask',
  'DescribeExportTasks',
  'CancelExportTask',
  'DescribeLogGroups',
] as const;

/** What X-Amz-Target asks for: an operation, or one that the service does not know. */
export type AskedOperation = WireOperation | 'unknown';

const service = 'Logs_20140328.';

/** Returns the operation that a request asks for; undefined if it is no request of the protocol. */
export function askedOperation(headers: IncomingHttpHeaders): AskedOperation | undefined {
  const target = headers['x-amz-target'];
  if (target === undefined) return undefined;
  const found = operations.find((operation) => target === service + operation);
  return found && isOfProtocol(headers) ? found : 'unknown';
}

// JSON is always in UTF-8, but some clients say so.
const protocolType = /^application\/x-amz-json-1\.1(?: *; *charset=utf-8)?$/i;

/** Whether the body is AWS JSON 1.1. The service never guesses the protocol of another one. */
export function isOfProtocol(headers: IncomingHttpHeaders): boolean {
  return protocolType.test(headers['content-type'] ?? '');
}
