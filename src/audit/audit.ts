import { type DestinationStream, pino } from 'pino';

import { longestLoggedText } from '#telemetry/logger.ts';

/** Who a line is about where nobody asked: the gateway itself, watching what runs. */
export const gatewayItself = 'log-export-gateway';

/** What is written of every decision. */
interface DecisionRecord {
  /** The id of the request, or the marker of the attempt, it was made for. */
  requestId: string;
  /** The id of the principal. */
  principal: string;
  /** The id of who only wanted to know, where the principal itself did not ask. */
  checkedBy?: string | undefined;
  action: string;
  decision: 'permit' | 'forbid';
  /** Ids of the policies that decided. */
  policies: readonly string[];
  target: string;
  logGroupName?: string | undefined;
  destination?: string | undefined;
  destinationPrefix?: string | undefined;
  /** Of a request for many: how many like this one were permitted. */
  permitted?: number | undefined;
  /** Of a list: how many were shown and how many were not. */
  shown?: number | undefined;
  hidden?: number | undefined;
}

/** What is written of every call to AWS. */
export interface AwsCallRecord {
  principal: string;
  service: 'logs' | 'sts';
  operation: string;
  target: string;
  /** What became of it: `ok`, the code of AWS's error, or why there was no answer. */
  outcome: string;
  awsRequestId?: string | undefined;
  logGroupName?: string | undefined;
  destination?: string | undefined;
  destinationPrefix?: string | undefined;
  taskName?: string | undefined;
  taskId?: string | undefined;
  /** Of a session in a caller's name: how CloudTrail names that caller. */
  sourceIdentity?: string | undefined;
}

/** The append-only record of who did what, where, and who let them. */
export interface Audit {
  decision(record: DecisionRecord): void;
  awsCall(record: AwsCallRecord): void;
  /** A caller that could not be authenticated: the error code it was told, nothing of what it sent. */
  refusal(record: { requestId: string; route: string | null; error: string }): void;
}

/** What a line is about. */
type Kind = 'decision' | 'aws-call' | 'refusal';

// Pino's levels, but none is higher than another: all are written.
const kinds: Record<Kind, number> = { decision: 1, 'aws-call': 2, refusal: 3 };

/**
 * Makes the audit: JSON lines to `destination`, apart from the log. They are told from log lines by
 * their member `audit`. Texts are cut after 256 characters.
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

/** Prefixes and names of tasks are as long as their caller likes. */
function cutTexts(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, cut(value)]));
}

function cut(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cut);
  if (typeof value !== 'string' || value.length <= longestLoggedText) return value;
  return `${value.slice(0, longestLoggedText - 1)}…`;
}
