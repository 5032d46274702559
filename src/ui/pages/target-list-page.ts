import { showTarget } from '#targets/show-target.ts';
import { type KnownTarget, targetStates } from '#targets/target.ts';
import type { TargetListQuery } from '#targets/target-access.ts';
import { choice, field, filterForm } from '../html/form.ts';
import { instantAgo } from '../html/formats.ts';
import { html, nameOf } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';
import { paging, table } from '../html/table.ts';
import { badge } from '../pictures/slice-states.ts';
import { problemLink } from './problem-view.ts';

/** What the page of the targets shows. */
export interface TargetListView {
  basePath: string;
  now: number;
  query: TargetListQuery;
  entries: readonly KnownTarget[];
  nextCursor?: string;
}

/** The list of targets with their states. */
export function targetListPage({
  basePath,
  now,
  query,
  entries,
  nextCursor,
}: TargetListView): UiPage {
  const path = `${basePath}/ui/targets`;
  const targets = entries.map((target) => showTarget(target, basePath));
  return {
    title: 'Targets',
    current: 'targets',
    content: html`<h1>Targets</h1>
${filterForm(path, [
  choice('State', 'state', targetStates, query.state),
  field('Region', 'region', query.region, 32),
  field('Account', 'accountId', query.accountId, 12),
])}
${
  targets.length === 0
    ? html`<p class="empty">${nextCursor === undefined ? 'No target that you may see matches.' : 'No target of this part of the list matches. The next page may have some.'}</p>`
    : table(
        'The AWS accounts and Regions where exports run, in the order of the configuration',
        [
          {
            label: 'Target',
            cell: ({ name, isDefault }) =>
              html`<a href="${path}/${encodeURIComponent(name)}">${nameOf(name)}</a>${isDefault && html` <span class="note">used by default</span>`}`,
          },
          { label: 'State', cell: ({ state }) => badge(state) },
          { label: 'Account', cell: ({ accountId }) => accountId ?? 'not known yet' },
          { label: 'Region', cell: ({ region }) => region },
          { label: 'Since', cell: ({ since }) => instantAgo(since, now) },
          { label: 'Problem', cell: ({ problem }) => (problem ? problemLink(problem) : '') },
        ],
        targets,
      )
}
${paging(path, query, nextCursor)}`,
  };
}
