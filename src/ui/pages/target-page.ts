import {
  type Timeline,
  type TimelineHours,
  timelineHours,
} from '#export-jobs/operations/read-timeline.ts';
import { countOf, inDigits } from '#problems/limits.ts';
import type { Problem } from '#problems/problem.ts';
import { showTarget, showTargetProblem } from '#targets/show-target.ts';
import type { RedactedSlotStatus } from '#targets/slot/redact-slot-status.ts';
import type { KnownTarget } from '#targets/target.ts';
import { instant, instantAgo, span } from '../html/formats.ts';
import { asCode, type Html, html, nameOf } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';
import { facts, table, urlOf } from '../html/table.ts';
import { badge } from '../pictures/slice-states.ts';
import { timelinePicture } from '../pictures/timeline.ts';
import { labelSince, problemBox } from './problem-view.ts';

/** What the page of a target shows. */
export interface TargetView {
  basePath: string;
  now: number;
  target: KnownTarget;
  status: RedactedSlotStatus;
  /** The problems that keep the queue from going on. */
  problems: readonly { problem: Problem; label: string; since?: number | undefined }[];
  /** Absent when jobs are off. */
  timeline: Timeline | undefined;
  hours: TimelineHours;
}

/** A target with its slot, its queue and its last hours. */
export function targetPage(view: TargetView): UiPage {
  const { basePath, now, target, status, timeline, hours, problems } = view;
  const { name, region, accountId, isDefault, state, since } = showTarget(target, basePath);
  const { queue } = status;
  const path = `${basePath}/ui/targets/${encodeURIComponent(name)}`;
  const jobs = urlOf(`${basePath}/ui/jobs`, { target: name });
  return {
    title: `Target ${name}`,
    current: 'targets',
    refreshSeconds: 15,
    content: html`<h1>Target ${nameOf(name)}</h1>
<div id="target-facts" data-part>
${facts([
  ['State', html`${badge(state)} since ${instantAgo(since, now)}`],
  ['Account', accountId ?? 'not known yet'],
  ['Region', region],
  ['Default', isDefault && 'yes'],
  [
    'Used by jobs in the last hour',
    status.busyShareLastHour !== undefined && `${Math.round(status.busyShareLastHour * 100)} %`,
  ],
  ['Jobs', timeline !== undefined && html`<a href="${jobs}">Jobs of this target</a>`],
])}
</div>
<h2>Slot</h2>
<div id="target-slot" data-part>
${slotText(view)}
${problems.map(({ problem, label, since }) =>
  problemBox(showTargetProblem(problem, basePath), labelSince(label, since, now)),
)}
</div>
${
  timeline &&
  html`<h2>${hours === 1 ? 'Last hour' : `Last ${hours} hours`}</h2>
<nav class="states" aria-label="Length of the timeline">${timelineHours.map(
    (each) =>
      html`<a href="${urlOf(path, { hours: each })}"${each === hours && html` aria-current="true"`}>${each === 1 ? '1 hour' : `${each} hours`}</a> `,
  )}</nav>
<div id="target-timeline" data-part>
${timelinePicture(timeline)}
${foreignTasks(timeline)}
</div>`
}
${
  queue &&
  html`<h2>Queue</h2>
<div id="target-queue" data-part>${queueTable(queue)}</div>`
}`,
  };
}

function slotText({ basePath, now, status, target }: TargetView): Html {
  const { slot, queue } = status;
  if (!slot) {
    return target.state === 'ready'
      ? html`<p>The state of the slot is not known now.</p>${queue && idleNote(queue)}`
      : html`<p>No export job holds the slot. AWS is called only when the target is ready.</p>`;
  }
  const seen = html`<span class="note">Observed ${instantAgo(slot.seenAt, now)}.</span>`;
  const since =
    slot.since !== undefined &&
    html` since ${instant(slot.since)} (${span(now - Date.parse(slot.since))})`;
  if (slot.state === 'free') {
    return html`<p>${badge('free')} No export task is active. ${seen}</p>${queue && idleNote(queue)}`;
  }
  if (slot.state === 'ours') {
    const job =
      slot.jobId === undefined
        ? 'An export job that you may not see'
        : html`<a href="${basePath}/ui/jobs/${encodeURIComponent(slot.jobId)}">Slice ${slot.slice} of an export job</a>`;
    return html`<p>${badge('running')} ${job} holds the slot${since}. ${seen}</p>`;
  }
  return html`<p>${badge('foreign')} A task that no export job has created holds the slot${since}. ${seen}</p>
${queue && queue.waiting > 0 && html`<p>Waiting slices start when this task has ended. The service does not cancel it.</p>`}
${facts([
  ['Task', slot.taskId !== undefined && asCode(slot.taskId)],
  ['Task name', slot.taskName !== undefined && asCode(slot.taskName)],
  ['Log group', slot.logGroupName !== undefined && asCode(slot.logGroupName)],
])}`;
}

function idleNote({ waiting, ready }: NonNullable<RedactedSlotStatus['queue']>): Html {
  if (waiting === 0) return html``;
  if (ready > 0) {
    return html`<p>Slices are ready. If none starts within a minute, look in the logs of all replicas for <code>target worker failed, retrying</code>, <code>POLICY_DIR has no policy</code> and <code>POLICY_DIR is not set</code>.</p>`;
  }
  return html`<p>All waiting slices wait until their log events are exportable, or for the pause after a failed attempt.</p>`;
}

// More: the page of a target with hundreds of callers is long.
const maxQueues = 50;

function queueTable({ waiting, ready, callers }: NonNullable<RedactedSlotStatus['queue']>): Html {
  if (waiting === 0) return html`<p class="empty">No slice waits.</p>`;
  return html`<p>${inDigits(waiting)} waiting, ${inDigits(ready)} of them ready to start.</p>
${table(
  'Waiting slices by priority and caller, highest priority first',
  [
    {
      label: 'Caller',
      cell: ({ caller }) =>
        caller === undefined ? 'callers that you may not see' : nameOf(caller),
    },
    { label: 'Priority', cell: ({ priority }) => priority },
    { label: 'Waiting', cell: (row) => inDigits(row.waiting) },
    { label: 'Ready', cell: (row) => inDigits(row.ready) },
  ],
  callers.slice(0, maxQueues),
)}
${callers.length > maxQueues && html`<p class="note">${countOf(callers.length - maxQueues, 'more queue')} not shown.</p>`}`;
}

// The latest ones. The picture has the others.
const maxForeignTasks = 10;

function foreignTasks({ foreignTasks }: Timeline): Html {
  if (foreignTasks.length === 0) return html``;
  return html`<details id="foreign-tasks"><summary>Foreign tasks</summary>
<p class="note">They are seen while slices wait for the slot. At most ${maxForeignTasks} are listed.</p>
${table(
  'Foreign tasks, latest first',
  [
    { label: 'From', cell: ({ from }) => instant(from) },
    { label: 'Until', cell: ({ to }) => instant(to) },
    { label: 'Duration', cell: ({ from, to }) => span(to - from) },
    {
      label: 'Log group',
      cell: ({ logGroupName }) => (logGroupName === undefined ? 'not shown' : asCode(logGroupName)),
    },
    { label: 'Task', cell: ({ taskId }) => (taskId === undefined ? 'not shown' : asCode(taskId)) },
  ],
  foreignTasks.slice(0, maxForeignTasks),
)}</details>`;
}
