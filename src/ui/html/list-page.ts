import { filterForm } from './form.ts';
import { type Html, html } from './html.ts';
import type { UiPage } from './layout.ts';
import { type Column, paging, table, urlOf } from './table.ts';

/** A list of what callers own, a page of it, and its filter. */
interface OwnedList<Entry, Query extends { caller?: string }> {
  /** What an entry is, in the singular. */
  noun: 'archive' | 'job';
  /** The heading of the page, which is also the name of its link in the navigation. */
  heading: 'Archives' | 'Jobs';
  /** The caption of the table. */
  caption: string;
  path: string;
  query: Query;
  /** The fields of the filter. */
  fields: readonly Html[];
  columns: readonly Column<Entry>[];
  entries: readonly Entry[];
  nextCursor: string | undefined;
}

/** Makes the page of such a list. */
export function listPage<Entry, Query extends { caller?: string }>(
  list: OwnedList<Entry, Query>,
): UiPage {
  const { noun, heading, caption, path, query, fields, columns, entries, nextCursor } = list;
  const callerLink = (text: string, of: string | undefined) =>
    html`<a href="${urlOf(path, { ...query, caller: of, cursor: undefined })}"${query.caller === of && html` aria-current="true"`}>${text}</a> `;
  return {
    title: heading,
    current: heading === 'Jobs' ? 'jobs' : 'archives',
    content: html`<h1>${heading}</h1>
${filterForm(path, fields)}
<nav class="states" aria-label="Callers">${[
      callerLink(`Your ${noun}s`, undefined),
      callerLink(`All ${noun}s that you may see`, '*'),
    ]}</nav>
${
  entries.length === 0
    ? html`<p class="empty">${nextCursor === undefined ? `No ${noun} that you may see matches.` : `No ${noun} of this part of the list matches. The next page may have some.`}</p>`
    : table(caption, columns, entries)
}
${paging(path, query, nextCursor)}`,
  };
}
