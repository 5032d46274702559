import type { Interval, Timeline } from '#export-jobs/operations/read-timeline.ts';
import { countOf } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import { span } from '../html/formats.ts';
import { type Html, type HtmlValue, html, nameOf } from '../html/html.ts';
import { type Bar, barsOf, type Run } from './timeline-bars.ts';

/** A line of the picture. */
interface Lane {
  label: HtmlValue;
  /** What its runs are, in the singular. */
  noun: 'export task' | 'foreign task' | 'wait';
  runs: readonly Run[];
}

/** A bar with its place in the height of its lane. */
interface StackedBar extends Bar {
  y: number;
  height: number;
}

// The width of every picture, in units.
const width = 1_440;
// Lower: a short task cannot be seen on a telephone. Higher: it covers its neighbours.
const minWidth = 4;
const top = 2;
const maxHeight = 16;
// Lower: a few short tasks cannot be seen. Higher: they look like a busy time.
const minHeight = 4;

/** The kinds of bars, as the legend explains them. */
const keys = [
  ['completed', 'completed'],
  ['running', 'running'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
  ['foreign', 'foreign task'],
  ['waits', 'slices wait'],
] as const;

/** Draws what happened in a slot: a lane for each caller, for foreign tasks, and for waiting slices. */
export function timelinePicture(timeline: Timeline): Html {
  const { callers, foreignTasks, waits } = timeline;
  const lanes: Lane[] = [
    ...lanesOf(callers),
    {
      label: 'Foreign tasks',
      noun: 'foreign task',
      runs: foreignTasks.map((task) => ({ ...task, kind: 'foreign' })),
    },
    {
      label: 'Slices waiting for the slot',
      noun: 'wait',
      runs: waits.map((wait) => ({ ...wait, kind: 'waits' })),
    },
  ];
  const bars = barsOf(
    timeline,
    lanes.map(({ runs }) => runs),
  );
  const hasLow = bars.flat().some(({ share }) => share < 1);
  return html`<div class="timeline">
${lanes.map((each, index) => lane(timeline, each, bars[index] ?? []))}
<div class="hours" aria-hidden="true">${[0, 1, 2, 3, 4].map(
    (quarter) =>
      html`<span>${clockAt(timeline.from + (quarter * (timeline.to - timeline.from)) / 4)}</span>`,
  )}</div>
<p class="legend">${keys.map(([kind, text]) => html`<span><span class="key ${kind}"></span> ${text}</span> `)}</p>
<p class="note">Times are in UTC.${hasLow && ' A low bar is several short tasks: its height is their share of the time. Failed ones are at the top.'}</p>
</div>`;
}

// Fewer: callers of a large company are one lane. More: the page is long.
const maxCallers = 20;

/** The lanes of callers. Those after the first ones share a lane. */
function lanesOf(callers: Timeline['callers']): Lane[] {
  const laneOf = (label: HtmlValue, runs: Timeline['callers'][number]['runs']): Lane => ({
    label,
    noun: 'export task',
    runs: runs.map((run) => ({ ...run, kind: run.state })),
  });
  const lanes = callers
    .slice(0, maxCallers)
    .map(({ caller, runs }) =>
      laneOf(caller === undefined ? 'Callers that you may not see' : nameOf(caller), runs),
    );
  const others = callers.slice(maxCallers);
  if (others.length === 0) return lanes;
  const label = countOf(others.length, 'other caller');
  return [
    ...lanes,
    laneOf(
      label,
      others.flatMap(({ runs }) => runs),
    ),
  ];
}

function lane(time: Interval, { label, noun, runs }: Lane, bars: readonly Bar[]): Html {
  const totalMs = runs.reduce((sum, { from, to }) => sum + to - from, 0);
  const total = noun === 'wait' ? span(totalMs) : `${countOf(runs.length, noun)}, ${span(totalMs)}`;
  // Short ones are drawn later, so that they are seen. The last are failures.
  const drawn = stack(bars)
    .toSorted((one, other) => other.to - other.from - (one.to - one.from))
    .toSorted((one, other) => Number(isFailed(one)) - Number(isFailed(other)));
  return html`<div class="lane"><div class="lane-name">${label} <span class="note">${runs.length === 0 ? 'none' : total}</span></div>
<svg viewBox="0 0 ${width} 20" preserveAspectRatio="none" aria-hidden="true" focusable="false"><path class="hour" d="${lines}"/>${drawn.map((bar) => rectangle(time, noun, bar))}</svg></div>
`;
}

/** The instants between the parts of a picture, as lines. */
const lines = [1, 2, 3, 4, 5, 6, 7].map((part) => `M${(part * width) / 8} 0V20`).join('');

/** Puts the bars of the same time above each other within the lane: none hides another one. */
function stack(bars: readonly Bar[]): StackedBar[] {
  const ofTimes = Map.groupBy(bars, ({ from, to }) => `${from} ${to}`);
  return [...ofTimes.values()].flatMap((ofTime) => {
    const total = ofTime.reduce((sum, bar) => sum + heightOf(bar), 0);
    let below = 0;
    return ofTime.map((bar) => {
      const height = heightOf(bar) * Math.min(1, maxHeight / total);
      if (isFailed(bar)) return { ...bar, y: top, height };
      below += height;
      return { ...bar, y: top + maxHeight - below, height };
    });
  });
}

function rectangle(time: Interval, noun: Lane['noun'], bar: StackedBar): Html {
  const { from, to, kind, count, busyMs, y, height } = bar;
  const unitMs = (time.to - time.from) / width;
  const size = Math.max(minWidth, (to - from) / unitMs);
  const x = Math.min((from - time.from) / unitMs, width - size);
  const state = noun === 'export task' ? ` ${kind}` : '';
  const times = `${clockAt(from)} to ${clockAt(to)}`;
  const text = `${countOf(count, noun)}${state}, ${times}${busyMs === to - from ? '' : `, ${span(busyMs)} in all`}`;
  return html`<rect class="${kind}" x="${rounded(x)}" y="${rounded(y)}" width="${rounded(size)}" height="${rounded(height)}"><title>${text}</title></rect>`;
}

const isFailed = ({ kind }: Bar): boolean => kind === 'failed';

const heightOf = ({ share }: Bar): number => Math.max(minHeight, maxHeight * share);
const rounded = (units: number): number => Math.round(units * 10) / 10;
const clockAt = (ms: number): string => toDateTime(ms).slice(11, 16);
