import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from '../control/faults/fault.ts';

/** A complete HTTP request. `path` is percent-encoded and has no query. */
export interface WireRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The effect of an operation, for tests that count effects instead of answers. */
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
  | { kind: 'query-started'; queryId: string }
  | { kind: 'log-events-stored'; count: number }
  | {
      kind: 'bucket-created' | 'bucket-deleted' | 'bucket-policy-changed' | 'bucket-configured';
      bucket: string;
    }
  | { kind: 'object-stored' | 'object-deleted'; bucket: string; key: string }
  | { kind: 'objects-deleted'; bucket: string; keys: string[] }
  | { kind: 'key-policy-changed'; keyArn: string }
  | {
      kind: 'message-published';
      topicArn: string;
      messageId: string;
      message: string;
      attributes: Record<string, string>;
    }
  | {
      kind: 'events-put';
      events: {
        eventId: string;
        bus: string;
        source: string;
        detailType: string;
        detail: string;
      }[];
    }
  | { kind: 'session-issued'; accessKeyId: string; expiresAt: number };

/** An HTTP answer, with facts for the journal. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
  errorCode?: string;
  effect?: Effect | undefined;
}

/** An error before it is written in the format of the service. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
  headers?: Record<string, string>;
  /** More elements of an error in XML. */
  details?: Record<string, string>;
}

/** A request as a call of one operation, not yet performed. */
export interface Call {
  service: 'logs' | 'sts' | 's3' | 'kms' | 'sns' | 'events';
  operation: string;
  input: unknown;
  /** Performs the operation. Errors of AWS are answers, not exceptions. */
  perform(fault?: Fault): Answer;
  refuse(refusal: Refusal): Answer;
}

/** How the answer is sent, or what happens instead. */
export type Delivery =
  | { how: 'answer'; answer: Answer }
  | { how: 'cut' | 'stall'; answer: Answer }
  | { how: 'reset' }
  | { how: 'silence' };
