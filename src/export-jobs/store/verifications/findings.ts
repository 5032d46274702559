import type { Selectable } from 'kysely';

import type { VerificationRow } from '#database/rows/verification-row.ts';
import type { EmptinessEvidence } from '../../verification/manifest/manifest.ts';

/** The objects of an export: how many there are, their bytes, and the log streams they are of. */
export interface ExportTotals {
  objects: number;
  bytes: number;
  streams: number;
}

/** What explains the findings. */
export interface Evidence {
  emptiness?: EmptinessEvidence;
  /** Why the log events were not counted: the name of the problem. */
  countProblem?: string;
  /** The actions that AWS denied while log events were counted or looked for. */
  deniedActions?: string[];
  /** Why there is no manifest: the name of the problem. */
  manifestProblem?: string;
}

/** What a verification has found. */
export interface Findings extends ExportTotals {
  method: 'objects' | 'count';
  isEmpty: boolean;
  evidence: Evidence;
  /** With `count`. */
  count?: LineCount & { events: number };
}

/** The lines of the objects of an export. A record begins with a timestamp in the time range. */
export interface LineCount {
  lines: number;
  records: number;
}

type FindingColumns = Pick<
  Selectable<VerificationRow>,
  | 'method'
  | 'objects'
  | 'bytes'
  | 'streams'
  | 'lines'
  | 'records'
  | 'events'
  | 'isEmpty'
  | 'evidence'
>;

/** Reads the findings of a row; `undefined` while there are none. */
export function readFindings(row: FindingColumns): Findings | undefined {
  const { method, objects, bytes, streams, lines, records, events } = row;
  if (method !== 'objects' && method !== 'count') return undefined;
  if (objects === null || bytes === null || streams === null) return undefined;
  return {
    method,
    objects,
    bytes,
    streams,
    isEmpty: row.isEmpty === 1,
    evidence: readEvidence(row),
    ...(lines !== null &&
      records !== null &&
      events !== null && {
        count: { lines, records, events },
      }),
  };
}

/** Reads the evidence of a row. */
export function readEvidence({ evidence }: Pick<FindingColumns, 'evidence'>): Evidence {
  return evidence === null ? {} : JSON.parse(evidence);
}

/** Writes findings as columns. */
export function toColumns(findings: Findings): FindingColumns & { method: string } {
  const { method, objects, bytes, streams, isEmpty, evidence, count } = findings;
  const { lines = null, records = null, events = null } = count ?? {};
  const isExplained = Object.keys(evidence).length > 0;
  return {
    method,
    objects,
    bytes,
    streams,
    lines,
    records,
    events,
    isEmpty: isEmpty ? 1 : 0,
    evidence: isExplained ? JSON.stringify(evidence) : null,
  };
}
