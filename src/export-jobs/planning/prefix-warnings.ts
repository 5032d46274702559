import { warningsOfSlashes } from '#export-tasks/creating/warnings.ts';
import type { Warning } from '#export-tasks/export-task.ts';
import type { SliceBy } from './calendar/slice-units.ts';
import { openWallClock } from './calendar/wall-clock.ts';
import type { PlannedJobFacts } from './plan-job.ts';
import { toLogGroup } from './prefix-template.ts';

// The times of a template, and where each ends in an ISO 8601 text.
const times = [
  { name: '{yyyy}', end: 4 },
  { name: '{MM}', end: 7 },
  { name: '{dd}', end: 10 },
  { name: '{HH}', end: 13 },
  { name: '{mm}', end: 16 },
] as const;
/** The number of times that tell two intervals of a unit apart. */
const timesOf: Record<SliceBy, number> = {
  none: 0,
  month: 2,
  week: 3,
  day: 3,
  hour: 4,
  '15-minutes': 5,
};

const folders = 'AWS still gives each export task a folder of its own there.';

const warn = (detail: string): Warning => ({ pointer: '#/destinationPrefix', detail });

/** Warnings about a template that makes folders without a name, or with which slices share a prefix. */
export function warningsOfTemplate(
  job: Pick<PlannedJobFacts, 'prefixTemplate' | 'sliceBy' | 'timeZone' | 'fromAt' | 'toAt'>,
): Warning[] {
  const { prefixTemplate, sliceBy, timeZone, fromAt, toAt } = job;
  const clock = openWallClock(timeZone);
  const [first = '', last = ''] = [fromAt, toAt - 1].map((at) =>
    new Date(clock.localOf(at)).toISOString(),
  );
  const missing = times
    .slice(0, timesOf[sliceBy])
    .filter(({ end }) => first.slice(0, end) !== last.slice(0, end))
    .map(({ name }) => name)
    .filter((name) => !prefixTemplate.includes(name));
  const shared = `Slices of one log group share a prefix, because the template lacks ${missing.join(', ')}. ${folders}`;
  return [...warningsOfSlashes(prefixTemplate), ...(missing.length > 0 ? [warn(shared)] : [])];
}

/** Warnings about log groups that share a prefix with another one, or make folders without a name. */
export function warningsOfLogGroups(
  prefixTemplate: string,
  logGroupNames: readonly string[],
): Warning[] {
  if (!prefixTemplate.includes('{logGroup}')) {
    if (logGroupNames.length < 2) return [];
    return [
      warn(`All log groups share a prefix, because the template lacks {logGroup}. ${folders}`),
    ];
  }
  const known = new Map<string, string>();
  let [same, nameless]: (Warning | undefined)[] = [];
  for (const name of logGroupNames) {
    const text = toLogGroup(name);
    const other = known.get(text);
    known.set(text, name);
    if (other !== undefined) {
      same ??= warn(
        `Log groups ${other} and ${name} share a prefix: {logGroup} has no leading slash. ${folders}`,
      );
    }
    if (text.split('/').includes('')) {
      nameless ??= warn(
        `Log group ${name} has a slash at the end, or two in a row. They create a folder without a name in S3.`,
      );
    }
  }
  return [same, nameless].filter((warning) => warning !== undefined);
}
