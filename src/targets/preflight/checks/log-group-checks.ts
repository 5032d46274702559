import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import type { Reading } from '#aws/storage/storage.ts';
import { countOf } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import { dayMs } from '#time/durations.ts';
import type { Check } from '../check.ts';
import type { LogGroupFacts } from '../log-groups-reading.ts';
import { isRead, knownValue, unreadable } from '../readings.ts';

/** The time range of an export: half-open, epoch ms. */
export interface ExportWindow {
  fromAt: number;
  toAt: number;
}

/**
 * Checks the log groups of an export. `now` is epoch ms. `withEvents` is one that has events in the time range,
 * whenever it was created.
 */
export function checkLogGroups(
  reading: Reading<LogGroupFacts>,
  window: ExportWindow | undefined,
  { now, withEvents }: { now: number; withEvents: string | undefined },
): Check[] {
  if (!isRead(reading)) {
    const permission = 'logs:DescribeLogGroups';
    return [unreadable('log-groups', { what: 'the log groups', permission }, reading)];
  }
  const facts = knownValue(reading) ?? { found: [], missing: [], isPartial: false };
  const checks = [checkExistence(facts)];
  if (facts.found.length === 0) return checks;
  checks.push(checkClass(facts.found), checkProtection(facts.found));
  if (!window) return checks;
  checks.push(checkAge(facts.found, window, withEvents));
  checks.push(checkRetention(facts.found, window, now));
  return checks;
}

function checkExistence({ found, missing, isPartial }: LogGroupFacts): Check {
  const name = 'log-groups';
  if (missing.length > 0) {
    return {
      name,
      verdict: 'fail',
      detail: `The target has no log group with ${missing.length === 1 ? 'this name' : 'these names'}: ${listOf(missing)}.`,
      remedy: 'Correct the names, which are case-sensitive, or the parameter `target`.',
    };
  }
  if (found.length === 0) {
    return {
      name,
      verdict: 'fail',
      detail: 'The target has no log group whose name begins with the prefix.',
      remedy: 'Correct `logGroupNamePrefix`, which is case-sensitive, or the parameter `target`.',
    };
  }
  const exist = `${countOf(found.length, 'log group')} ${found.length === 1 ? 'exists' : 'exist'}.`;
  if (!isPartial) return { name, verdict: 'pass', detail: exist };
  return { name, verdict: 'unknown', detail: `${exist} A preflight does not look at more.` };
}

/** Only the class STANDARD is known to be exportable. */
function checkClass(found: readonly LogGroup[]): Check {
  const name = 'log-group-class';
  const others = found.filter(({ logGroupClass = 'STANDARD' }) => logGroupClass !== 'STANDARD');
  if (others.length === 0) {
    return { name, verdict: 'pass', detail: 'The log groups have the class STANDARD.' };
  }
  const named = others.map(
    ({ logGroupName, logGroupClass }) => `${logGroupName} (${logGroupClass})`,
  );
  return {
    name,
    verdict: 'warn',
    detail: `Log groups of another class than STANDARD: ${listOf(named)}. AWS does not document that it exports them.`,
    remedy: 'Create a small export of such a log group first.',
  };
}

function checkProtection(found: readonly LogGroup[]): Check {
  const name = 'deletion-protection';
  const open = found.filter(({ isDeletionProtected }) => !isDeletionProtected);
  const detail =
    open.length === 0
      ? 'All log groups have deletion protection.'
      : `Without deletion protection: ${listOf(namesOf(open))}. Slices of a log group that is deleted before they start fail.`;
  return { name, verdict: 'pass', detail };
}

function checkAge(
  found: readonly LogGroup[],
  { toAt }: ExportWindow,
  withEvents: string | undefined,
): Check {
  const name = 'log-group-age';
  const younger = found.filter(({ creationTime = 0 }) => creationTime >= toAt);
  const [first] = younger.filter(({ logGroupName }) => logGroupName !== withEvents);
  if (!first) {
    const detail =
      younger.length === 0
        ? 'The log groups were created before `to`.'
        : `Log group ${withEvents} was created after \`to\`, but has older events.`;
    return { name, verdict: 'pass', detail };
  }
  const { logGroupName, creationTime = 0 } = first;
  return {
    name,
    verdict: 'warn',
    detail: `Created after \`to\`: ${listOf(namesOf(younger))}. ${logGroupName} was created at ${toDateTime(creationTime)}. Its export is empty, unless older events were sent to it later.`,
    remedy: 'Correct `from` and `to`, or the names of the log groups.',
  };
}

function checkRetention(found: readonly LogGroup[], { fromAt }: ExportWindow, now: number): Check {
  const name = 'retention';
  const shorter = found.filter(
    ({ retentionInDays }) =>
      retentionInDays !== undefined && now - retentionInDays * dayMs > fromAt,
  );
  const [first] = shorter;
  if (!first) {
    return {
      name,
      verdict: 'pass',
      detail: 'The log groups keep their events longer than since `from`.',
    };
  }
  const { logGroupName, retentionInDays = 0, retentionPolicyName } = first;
  const source =
    retentionPolicyName === undefined
      ? ''
      : `, by the policy ${retentionPolicyName} of the account`;
  return {
    name,
    verdict: 'warn',
    detail: `Shorter retention than since \`from\`: ${listOf(namesOf(shorter))}. ${logGroupName} keeps events for ${countOf(retentionInDays, 'day')}${source}. Older events are not exported.`,
    remedy: 'Export the time range before its events expire. Expired events cannot be exported.',
  };
}

const namesOf = (found: readonly LogGroup[]) => found.map(({ logGroupName }) => logGroupName);

// A job can have a thousand log groups.
const maxListed = 5;

/** Lists names, and counts the others. */
function listOf(names: readonly string[]): string {
  const shown = names.slice(0, maxListed).join(', ');
  const left = names.length - maxListed;
  return left > 0 ? `${shown} and ${countOf(left, 'other')}` : shown;
}
