import { archiveStates } from '#archives/archive.ts';
import type { ArchiveListQuery } from '#archives/operations/list-archives.ts';
import type { Archive } from '#archives/presenters/archive-view.ts';
import { choice, field } from '../../html/form.ts';
import { instant, instantAgo } from '../../html/formats.ts';
import { html, nameOf } from '../../html/html.ts';
import type { UiPage } from '../../html/layout.ts';
import { listPage } from '../../html/list-page.ts';
import { coverageBar, partitionsInWords } from '../../pictures/partition-states.ts';
import { badge } from '../../pictures/slice-states.ts';

/** What the page of the archives shows. */
export interface ArchiveListView {
  basePath: string;
  now: number;
  query: ArchiveListQuery;
  entries: readonly Archive[];
  nextCursor?: string;
}

/** The list of archives, the newest first. */
export function archiveListPage(view: ArchiveListView): UiPage {
  const { basePath, now, query, entries, nextCursor } = view;
  const path = `${basePath}/ui/archives`;
  return listPage({
    noun: 'archive',
    heading: 'Archives',
    caption: 'Archives, newest first',
    path,
    query,
    fields: [
      choice('State', 'state', archiveStates, query.state),
      field('Target', 'target', query.target, 64),
      field('Name', 'name', query.name, 256),
      field('Caller', 'caller', query.caller, 1_024),
    ],
    columns: [
      {
        label: 'Archive',
        cell: ({ id, name }) =>
          html`<a href="${path}/${encodeURIComponent(id)}">${nameOf(name)}</a>`,
      },
      { label: 'State', cell: ({ state }) => badge(state) },
      {
        label: 'Watermark',
        cell: ({ progress }) =>
          progress?.watermark === undefined ? 'not known yet' : instant(progress.watermark),
      },
      {
        label: 'Partitions',
        cell: ({ progress }) =>
          progress &&
          html`${coverageBar(progress.partitionCounts)}${partitionsInWords(progress.partitionCounts)}`,
      },
      {
        label: 'Next expiry',
        cell: ({ progress }) => progress?.nextExpiry && instantAgo(progress.nextExpiry.at, now),
      },
      { label: 'Target', cell: ({ target }) => nameOf(target) },
      { label: 'Caller', cell: (archive) => nameOf(archive.caller) },
    ],
    entries,
    nextCursor,
  });
}
