import type { Interval, Timeline } from '#export-jobs/operations/read-timeline.ts';
import { countOf } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import { span } from '../html/formats.ts';
import { type Html, type HtmlValue, html, nameOf } from '../html/html.ts';

/** A stretch of time in a lane, and the class of its colour. */
interface Bar extends Interval {
  kind: string;
}

// The width of every picture, in units. Bars of the same kind with a gap of less than a unit become one, so that a
// picture has some hundred bars at most.
const width = 1_440;
const minWidth = 2;

/** Draws what happened in a slot: a lane for each caller, for foreign tasks, and for waiting slices. */
export function timelinePicture(timeline: Timeline): Html {
  const { callers, foreignTasks, waits } = timeline;
  const lanes = [
    ...withinLanes(callers).map(({ label, runs }) =>
      lane(
        timeline,
        label,
        runs.map((run) => ({ ...run, kind: run.state })),
        countOf(runs.length, 'export task'),
      ),
    ),
    lane(
      timeline,
      'Foreign tasks',
      foreignTasks.map((task) => ({ ...task, kind: 'foreign' })),
      countOf(foreignTasks.length, 'foreign task'),
    ),
    lane(
      timeline,
      'Slices waiting for the slot',
      waits.map((wait) => ({ ...wait, kind: 'waits' })),
      '',
    ),
  ];
  return html`<div class="timeline">
${lanes}
<div class="hours" aria-hidden="true">${[0, 1, 2, 3, 4].map(
    (quarter) =>
      html`<span>${clockAt(timeline.from + (quarter * (timeline.to - timeline.from)) / 4)}</span>`,
  )}</div>
<p class="legend"><span class="key completed"></span> completed <span class="key running"></span> running <span class="key failed"></span> failed <span class="key cancelled"></span> cancelled <span class="key foreign"></span> foreign task <span class="key waits"></span> slices wait. Times are in UTC.</p>
</div>`;
}

// Fewer: callers of a large company are one lane. More: the page is long.
const maxCallers = 20;

/** The lanes of callers. Those after the first ones share a lane. */
function withinLanes(callers: Timeline['callers']) {
  const lanes = callers.slice(0, maxCallers).map(({ caller, runs }) => ({
    label: caller === undefined ? 'Callers that you may not see' : nameOf(caller),
    runs,
  }));
  const others = callers.slice(maxCallers);
  if (others.length === 0) return lanes;
  const label = countOf(others.length, 'other caller');
  return [...lanes, { label, runs: others.flatMap(({ runs }) => runs) }];
}

function lane(timeline: Interval, label: HtmlValue, bars: readonly Bar[], count: string): Html {
  const totalMs = bars.reduce((sum, { from, to }) => sum + to - from, 0);
  const summary = bars.length === 0 ? 'none' : [count, span(totalMs)].filter(Boolean).join(', ');
  return html`<div class="lane"><div class="lane-name">${label} <span class="note">${summary}</span></div>
<svg viewBox="0 0 ${width} 20" preserveAspectRatio="none" aria-hidden="true" focusable="false">${joined(timeline, bars).map((bar) => rectangle(timeline, bar))}<path class="hour" d="${lines}"/></svg></div>
`;
}

/** The instants between the parts of a picture, as lines. */
const lines = [1, 2, 3, 4, 5, 6, 7].map((part) => `M${(part * width) / 8} 0V20`).join('');

function rectangle(timeline: Interval, { from, to, kind }: Bar): Html {
  const unitMs = unitOf(timeline);
  const size = Math.max(minWidth, (to - from) / unitMs);
  const x = Math.min((from - timeline.from) / unitMs, width - size);
  const text = `${kind} ${clockAt(from)} to ${clockAt(to)}`;
  return html`<rect class="${kind}" x="${x.toFixed(1)}" y="2" width="${size.toFixed(1)}" height="16"><title>${text}</title></rect>`;
}

/** Joins the bars of each kind that are close to each other. Failures are drawn last, so that they are seen. */
function joined(timeline: Interval, bars: readonly Bar[]): Bar[] {
  const kinds = Map.groupBy(bars, ({ kind }) => kind);
  const order = [...kinds.keys()].filter((kind) => kind !== 'failed');
  return [...order, 'failed'].flatMap((kind) => joinedOfKind(timeline, kinds.get(kind) ?? []));
}

function joinedOfKind(timeline: Interval, bars: readonly Bar[]): Bar[] {
  const unitMs = unitOf(timeline);
  const result: Bar[] = [];
  for (const bar of bars.toSorted((one, other) => one.from - other.from)) {
    const last = result.at(-1);
    if (last && bar.from - last.to < unitMs) last.to = Math.max(last.to, bar.to);
    else result.push({ ...bar });
  }
  return result;
}

const unitOf = ({ from, to }: Interval): number => (to - from) / width;
const clockAt = (ms: number): string => toDateTime(ms).slice(11, 16);
