import { type DestinationStream, pino } from 'pino';

import { maxLoggedTextLength } from '#telemetry/logger.ts';

/** The principal of calls that no caller asked for: the gateway itself. */
export const gatewayItself = 'log-export-gateway';

/** The audit record of a decision. */
interface DecisionRecord {
  /** The id of the request, or the marker of the attempt. */
  requestId: string;
  /** The id of the principal. */
  principal: string;
  /** The id of the caller that only checked the permissions of `principal`. */
  checkedBy?: string | undefined;
  action: string;
  decision: 'permit' | 'forbid';
  /** Ids of the policies that made the decision. */
  policies: readonly string[];
  target: string;
  logGroupName?: string | undefined;
  destination?: string | undefined;
  destinationPrefix?: string | undefined;
  webhookEndpointId?: string | undefined;
  /** The origin of the URL of the endpoint: the rest can be a secret. */
  webhookOrigin?: string | undefined;
  /** In a series: the number of permitted actions. */
  permitted?: number | undefined;
  /** In a list: the number of shown and of hidden items. */
  shown?: number | undefined;
  hidden?: number | undefined;
}

/** The audit record of a call to AWS. */
export interface AwsCallRecord {
  principal: string;
  service: 'logs' | 'sts' | 's3' | 'kms' | 'sns' | 'events';
  operation: string;
  target: string;
  /** `ok`, the error code of AWS, or why there was no answer. */
  outcome: string;
  awsRequestId?: string | undefined;
  logGroupName?: string | undefined;
  destination?: string | undefined;
  destinationPrefix?: string | undefined;
  /** The key of an object in the destination. */
  objectKey?: string | undefined;
  kmsKeyId?: string | undefined;
  taskName?: string | undefined;
  taskId?: string | undefined;
  /** In a session for a caller: the name of that caller in CloudTrail. */
  sourceIdentity?: string | undefined;
}

/** The audit: an append-only record of decisions, calls to AWS and refused callers. */
export interface Audit {
  decision(record: DecisionRecord): void;
  awsCall(record: AwsCallRecord): void;
  /** Records a caller that was not authenticated, without its credential. */
  refusal(record: { requestId: string; route: string | null; error: string }): void;
}

/** The kind of an audit line. */
type Kind = 'decision' | 'aws-call' | 'refusal';

// Levels of pino, but all of them are written.
const kinds: Record<Kind, number> = { decision: 1, 'aws-call': 2, refusal: 3 };

/**
 * Makes the audit. It writes JSON lines to `destination`. Their member `audit` distinguishes them from log
 * lines. Texts are cut after 256 characters.
 */
export function makeAudit(destination: DestinationStream): Audit {
  const lines = pino<Kind>(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      customLevels: kinds,
      useOnlyCustomLevels: true,
      level: 'decision',
      formatters: { level: (kind) => ({ audit: kind }), log: cutTexts },
    },
    destination,
  );
  return {
    decision: (record) => lines.decision(record),
    awsCall: (record) => lines['aws-call'](record),
    refusal: (record) => lines.refusal(record),
  };
}

/** Callers choose the length of prefixes and task names. Most lines have nothing to cut. */
function cutTexts(record: Record<string, unknown>): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const name in record) {
    const value = cut(record[name]);
    if (value !== record[name]) changed[name] = value;
  }
  return { ...record, ...changed };
}

function cut(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cut);
  if (typeof value !== 'string' || value.length <= maxLoggedTextLength) return value;
  return `${value.slice(0, maxLoggedTextLength - 1)}…`;
}
