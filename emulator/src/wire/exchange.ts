import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from '../control/faults.ts';

/**
 * One HTTP request, read to its end. `path` is as sent: still percent-encoded, without the query.
 */
export interface WireRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** What an operation changed, for whoever counts effects rather than answers. */
export type Effect =
  | { kind: 'task-created'; taskId: string }
  | { kind: 'task-cancel-requested'; taskId: string }
  | { kind: 'log-group-created'; logGroupName: string }
  | { kind: 'log-group-deleted' | 'log-group-changed'; logGroupName: string }
  | {
      kind: 'log-stream-created' | 'log-stream-deleted';
      logGroupName: string;
      logStreamName: string;
    }
  | { kind: 'log-events-stored'; count: number }
  | { kind: 'bucket-created' | 'bucket-deleted' | 'bucket-policy-changed'; bucket: string }
  | { kind: 'object-stored' | 'object-deleted'; bucket: string; key: string }
  | { kind: 'objects-deleted'; bucket: string; keys: string[] }
  | { kind: 'session-issued'; accessKeyId: string; expiresAt: number };

/** What is sent back, and beside it what the journal wants to know. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
  errorCode?: string;
  effect?: Effect | undefined;
}

/** An error to be written the way the service writes its errors. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** A request understood as one operation of one service, not performed yet. */
export interface Call {
  service: 'logs' | 'sts' | 's3';
  operation: string;
  input: unknown;
  /** Runs the operation. It never throws what AWS would answer; it answers it. */
  perform(fault?: Fault): Answer;
  refuse(refusal: Refusal): Answer;
}

/** How an answer reaches the client, or does not. */
export type Delivery =
  | { how: 'answer'; answer: Answer }
  | { how: 'cut' | 'stall'; answer: Answer }
  | { how: 'reset' }
  | { how: 'silence' };
