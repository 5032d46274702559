import type { Scheduler } from '../../control/clock.ts';
import type { Fault } from '../../control/faults/fault.ts';
import type { Keys } from '../../kms/keys.ts';
import type { Settings } from '../../options/settings.ts';
import type { Buckets } from '../../s3/buckets.ts';
import { mayEncrypt, mayWrite } from '../../s3/log-delivery.ts';
import type { LogGroups } from '../log-groups.ts';
import { type ExportFile, exportFiles } from './export-files.ts';
import type { WriteExport } from './export-tasks.ts';

/**
 * Makes the function that writes the objects of a task. It fails without the bucket, the group or the
 * permission (assumption). Faults keep, delay or cut objects of a task that nevertheless ends COMPLETED.
 */
export function makeWriteExport(
  logGroups: LogGroups,
  buckets: Buckets,
  keys: Keys,
  clock: Scheduler,
  settings: Settings,
): WriteExport {
  return (task, fault) => {
    const bucket = buckets.find(task.destination);
    const group = logGroups.get(task.logGroupName);
    if (!bucket || !group) return false;
    const files = exportFiles(task, group, clock.now(), settings);
    const isPossible = files.every(
      ({ key }) =>
        mayWrite(bucket, task, settings, key) && mayEncrypt(bucket, task, settings, keys, key),
    );
    if (!isPossible) return false;

    const write = (some: readonly ExportFile[]) => {
      for (const { key, body } of some) {
        buckets.putObject(bucket, key, { body, lastModified: clock.now() });
      }
    };
    const { written, late, delayMs } = underFault(files, fault);
    write(written);
    if (late.length > 0) clock.at(clock.now() + delayMs, () => write(late));
    return true;
  };
}

/** The files that are written at the end of the task, and those that follow after a delay. */
interface FaultyFiles {
  written: ExportFile[];
  late: ExportFile[];
  delayMs: number;
}

function underFault(files: ExportFile[], fault: Fault | undefined): FaultyFiles {
  switch (fault?.kind) {
    case 'objects-missing':
      return { written: splitOff(files, fault.missing)[0], late: [], delayMs: 0 };
    case 'objects-late': {
      const [written, late] = splitOff(files, fault.of ?? 'all');
      return { written, late, delayMs: fault.delayMs };
    }
    case 'object-truncated': {
      const [first, ...others] = files;
      return { written: first ? [cutInHalf(first), ...others] : [], late: [], delayMs: 0 };
    }
    default:
      return { written: files, late: [], delayMs: 0 };
  }
}

/** Splits the last files off. */
function splitOff(files: ExportFile[], count: number | 'all'): [ExportFile[], ExportFile[]] {
  const at = count === 'all' ? 0 : Math.max(0, files.length - count);
  return [files.slice(0, at), files.slice(at)];
}

function cutInHalf({ key, body }: ExportFile): ExportFile {
  return {
    key,
    body() {
      const bytes = body();
      return bytes.subarray(0, Math.floor(bytes.length / 2));
    },
  };
}
