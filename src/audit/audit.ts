import { type DestinationStream, pino } from 'pino';

/** Who a line is about where nobody asked: the gateway itself, watching what runs. */
export const gatewayItself = 'log-export-gateway';

/** What is written of every decision. */
export interface DecisionRecord {
  /** The id of the request, or the marker of the attempt, it was made for. */
  requestId: string;
  /** The id of the principal. */
  principal: string;
  action: string;
  decision: 'permit' | 'forbid';
  /** Ids of the policies that decided. */
  policies: readonly string[];
  target: string;
  logGroupName?: string | undefined;
  destination?: string | undefined;
  destinationPrefix?: string | undefined;
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
}

/** The append-only record of who did what, where, and who let them. */
export interface Audit {
  decision(record: DecisionRecord): void;
  awsCall(record: AwsCallRecord): void;
  /** A caller that could not be authenticated: the error code it was told, nothing of what it sent. */
  refusal(record: { requestId: string; route: string | null; error: string }): void;
}

/** What a line is of, in the place of a level: every line counts the same. */
const kinds = { decision: 10, 'aws-call': 20, refusal: 30 };

/** Makes the audit: JSON lines to `destination`, apart from the log. */
export function makeAudit(destination: DestinationStream): Audit {
  const lines = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      customLevels: kinds,
      useOnlyCustomLevels: true,
      level: 'decision',
      formatters: { level: (kind) => ({ audit: kind }) },
    },
    destination,
  );
  return {
    decision: (record) => lines.decision(record),
    awsCall: (record) => lines['aws-call'](record),
    refusal: (record) => lines.refusal(record),
  };
}
