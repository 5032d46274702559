import type { ArchiveGrid, ArchiveGridQuery } from '#archives/operations/read-archive-grid.ts';
import type { Archive } from '#archives/presenters/archive-view.ts';
import type { LogGroupRun } from '#archives/store/reads/read-coverage-page.ts';
import { countOf, inDigits } from '#problems/limits.ts';
import { instant, instantAgo } from '../../html/formats.ts';
import { asCode, type Html, html, nameOf } from '../../html/html.ts';
import type { UiPage } from '../../html/layout.ts';
import { facts, urlOf } from '../../html/table.ts';
import { archiveGrid } from '../../pictures/archive-grid.ts';
import { coverageBar, partitionsInWords } from '../../pictures/partition-states.ts';
import { badge } from '../../pictures/slice-states.ts';
import { problemBox } from '../problem-view.ts';
import { urgentList } from './urgent-list.ts';

/** What a button has done, as the page says it afterwards. */
export const archiveNotices = {
  paused: 'The archive is paused.',
  resumed: 'The archive goes on.',
} as const;

/** What the page of an archive shows. */
export interface ArchiveView {
  basePath: string;
  now: number;
  archive: Archive;
  query: ArchiveGridQuery;
  grid: ArchiveGrid;
  /** The first partitions that need attention. */
  urgentRuns: readonly LogGroupRun[];
  notice?: keyof typeof archiveNotices | undefined;
  /** The form token of the session. */
  token: string;
  mayChange: boolean;
}

/** An archive with its state, its partitions and its buttons. */
export function archivePage(view: ArchiveView): UiPage {
  const { basePath, now, archive, query, grid, notice } = view;
  const path = `${basePath}/ui/archives/${encodeURIComponent(archive.id)}`;
  const { progress, stopProblem } = archive;
  const watermarkAt =
    progress?.watermark === undefined ? undefined : Date.parse(progress.watermark);
  return {
    title: `Archive ${archive.name}`,
    current: 'archives',
    refreshSeconds: 15,
    content: html`<h1>Archive ${nameOf(archive.name)}</h1>
${notice !== undefined && html`<p class="notice" role="status">${archiveNotices[notice]}</p>`}
<p class="unseen" role="status" id="progress" data-text>${archive.state}${progress && `: ${partitionsInWords(progress.partitionCounts)}`}</p>
<div id="archive-facts" data-part>
<p class="state-line">${badge(archive.state)} ${progress && html`${coverageBar(progress.partitionCounts)} ${partitionsInWords(progress.partitionCounts)}`}</p>
${expiry(view)}
${archiveFacts(view)}
</div>
<div id="archive-buttons" class="buttons" data-part>${buttons(path, view)}</div>
<div id="archive-problems" data-part>${stopProblem && html`<h2>Problems</h2>${problemBox(stopProblem, 'The archive is stopped: it creates no exports, or only on trial')}`}
${progress?.listingProblem !== undefined && html`<p class="error">The list of log groups is incomplete or old: ${progress.listingProblem}</p>`}</div>
<div id="archive-urgent" data-part>${urgentList(path, view)}</div>
<h2 id="grid-title">Partitions</h2>
<div id="archive-grid" data-part>${archiveGrid(path, query, grid, watermarkAt)}</div>
<p><a href="${path}/coverage">Coverage as JSON</a> · <a href="${urlOf(`${basePath}/ui/jobs`, { archiveId: archive.id, caller: '*' })}">Jobs of this archive</a></p>
<p class="note">Page of ${instant(now)}. It is read again every 15 seconds if scripts are enabled.</p>`,
  };
}

/** What expires first, where nobody can miss it. */
function expiry({ now, archive }: ArchiveView): Html {
  const { progress } = archive;
  const atRisk = progress?.partitionCounts.atRisk ?? 0;
  const { nextExpiry } = progress ?? {};
  if (atRisk === 0 || !nextExpiry) return html``;
  return html`<section class="problem"><h2>${countOf(atRisk, 'partition')} at risk</h2>
<p>The log events of ${nextExpiry.logGroupName === undefined ? 'a log group' : asCode(nextExpiry.logGroupName)} expire ${instantAgo(nextExpiry.at, now)}. What is not exported by then is lost.</p>
<p><strong>What to do:</strong> ${remedyOfRisk(archive)}</p></section>`;
}

/** What saves log events that expire soon: what keeps the archive from exporting them comes first. */
function remedyOfRisk({ pause, stopProblem }: Archive): string {
  if (pause) return 'Resume the archive, or lengthen the retention of the log group.';
  if (stopProblem)
    return 'Fix the problem of the archive below, or lengthen the retention of the log group.';
  return 'Lengthen the retention of the log group, or find out why its exports wait.';
}

function archiveFacts({ basePath, now, archive }: ArchiveView): Html {
  const { progress, pause } = archive;
  return facts([
    ['Id', asCode(archive.id)],
    [
      'Target',
      html`<a href="${basePath}/ui/targets/${encodeURIComponent(archive.target)}">${nameOf(archive.target)}</a>`,
    ],
    ['Caller', nameOf(archive.caller)],
    [
      'Watermark',
      progress?.watermark === undefined
        ? 'not known yet'
        : html`${instantAgo(progress.watermark, now)}`,
    ],
    [
      'Next expiry',
      progress?.nextExpiry &&
        html`${instantAgo(progress.nextExpiry.at, now)} ${progress.nextExpiry.logGroupName !== undefined && asCode(progress.nextExpiry.logGroupName)}`,
    ],
    ['Log groups', progress && inDigits(progress.logGroupCount)],
    [
      'Names',
      archive.logGroupNames &&
        html`${archive.logGroupNames.slice(0, maxNames).map((name) => html`${asCode(name)} `)}${archive.logGroupNames.length > maxNames && `and ${inDigits(archive.logGroupNames.length - maxNames)} more`}`,
    ],
    ['Prefix', archive.logGroupNamePrefix !== undefined && asCode(archive.logGroupNamePrefix)],
    [
      'Left out',
      archive.exceptLogGroupNamePrefixes.length > 0 &&
        html`${archive.exceptLogGroupNamePrefixes.map((prefix) => html`${asCode(prefix)} `)}`,
    ],
    ['Partition', `each ${archive.partitionBy}, in UTC`],
    [
      'Time range',
      html`from ${instant(archive.from)}${archive.to !== undefined && html` to ${instant(archive.to)}`}`,
    ],
    [
      'Destination',
      html`${asCode(archive.destination)} <span class="note">prefix</span> ${asCode(archive.destinationPrefix)}`,
    ],
    ['Priority', archive.priority],
    [
      'Exported again',
      archive.refreshDays > 0 &&
        `${countOf(archive.refreshDays, 'day')} after the end of a partition`,
    ],
    [
      'Catches up',
      archive.catchUpDays !== undefined && `${countOf(archive.catchUpDays, 'day')} back`,
    ],
    [
      'Not exported again',
      progress &&
        progress.failedRepeatCount > 0 &&
        `${countOf(progress.failedRepeatCount, 'covered partition')}: the second export failed for the last time. Request a backfill with reprocess "failed".`,
    ],
    ['Verification', archive.verification],
    ['Heartbeats to', archive.heartbeatOrigin !== undefined && asCode(archive.heartbeatOrigin)],
    ['Slot in the last day', progress && `${Math.round(progress.slotShare * 100)} % of its time`],
    ['Created', instantAgo(archive.createdAt, now)],
    [
      'Paused',
      pause && html`${instantAgo(pause.at, now)} by ${nameOf(pause.caller)}: ${pause.reason}`,
    ],
    ['Ended', archive.endedAt !== undefined && instantAgo(archive.endedAt, now)],
    ['Looked at', progress && instantAgo(progress.lookedAt, now)],
  ]);
}

// More: the facts are a page of names.
const maxNames = 10;

function buttons(path: string, { archive, token, mayChange }: ArchiveView): Html {
  if (!mayChange || archive.state === 'ended') return html``;
  const [act, title, note] =
    archive.pause === undefined
      ? ([
          'pause',
          'Pause this archive',
          'Waiting exports are cancelled, and running ones continue. Log events can expire during a pause: this page goes on to show what is at risk.',
        ] as const)
      : ([
          'resume',
          'Resume this archive',
          'What was missed is exported, the most urgent partitions first.',
        ] as const);
  return html`<details id="${act}-archive"><summary>${title}</summary>
<p>${note}</p>
<form method="post" action="${path}/${act}"><input type="hidden" name="token" value="${token}"><label>Reason <input name="reason" required maxlength="1000" autocomplete="off"></label> <button id="${act}">${title}</button></form></details>`;
}
