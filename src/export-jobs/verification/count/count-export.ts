import type { EventCallOptions } from '#aws/call-options.ts';
import type { Storage } from '#aws/storage/storage.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { LineCount } from '../../store/verifications/findings.ts';
import { type ExportPlace, listExport } from '../list-export.ts';
import { type CountedWindow, countEvents, type NotCounted, whyNotCounted } from './count-events.ts';
import { brokenGzip, countLines } from './count-lines.ts';

/** The result of a count. */
export type CountedExport =
  | (LineCount & { outcome: 'counted'; events: number })
  | { outcome: 'broken'; key: string }
  /** The role may not count, or the log group cannot be counted. */
  | NotCounted;

/** What a count needs. */
interface CountOptions {
  target: Pick<OpenTarget, 'logs'>;
  storage: Storage;
  options: EventCallOptions & { signal: AbortSignal };
  sleep: AbortableSleep;
  /** Called when a query has started, or perhaps. */
  noteQuery: () => Promise<void>;
  /** Whether the count may be repeated if it fails after its query has started. */
  mayRepeat: () => boolean;
}

/**
 * Counts the log events of a window at AWS, and the lines of all objects of its export, one object after
 * the other. AWS is asked first: if it may not be, no object is read.
 */
export async function countExport(
  exported: ExportPlace & CountedWindow,
  { target, storage, options, sleep, noteQuery, mayRepeat }: CountOptions,
): Promise<CountedExport> {
  const events = await countEvents(target.logs, exported, { options, sleep, noteQuery, mayRepeat });
  if (typeof events !== 'number') return events;
  const counted = await countObjects(exported, storage, options).catch((problem) => {
    if (mayRepeat()) throw problem;
    return whyNotCounted('s3:ListBucket', mayRepeat)(problem);
  });
  return 'outcome' in counted ? counted : { outcome: 'counted', ...counted, events };
}

/** Counts the lines of all objects of an export. */
async function countObjects(
  exported: ExportPlace & CountedWindow,
  storage: Storage,
  options: CountOptions['options'],
): Promise<LineCount | Exclude<CountedExport, { outcome: 'counted' }>> {
  const count: LineCount = { lines: 0, records: 0 };
  for await (const objects of listExport(storage, exported, options)) {
    for (const { key } of objects) {
      const place = { bucket: exported.destination, key };
      const object = await storage.readObject(place, options).catch(whyNotCounted('s3:GetObject'));
      if ('outcome' in object) return object;
      const counted = await countLines(object, exported).catch((error: Error) => {
        if (error.name !== brokenGzip) throw error;
        return undefined;
      });
      if (!counted) return { outcome: 'broken', key };
      count.lines += counted.lines;
      count.records += counted.records;
      options.signal.throwIfAborted();
    }
  }
  return count;
}
