import { type Html, type HtmlValue, html } from './html.ts';

/** A column of a table. */
export interface Column<Row> {
  label: string;
  cell: (row: Row) => HtmlValue;
}

/**
 * Makes a table. On narrow screens its style shows each row as a block with the labels of the columns.
 * Browsers forget the roles then, so they are written down. The first column names the row.
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Html {
  const [first, ...others] = columns as [Column<Row>, ...Column<Row>[]];
  return html`<table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ label }) => html`<th role="columnheader" scope="col">${label}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map(
  (row) => html`<tr role="row"><th role="rowheader" scope="row">${first.cell(row)}</th>${others.map(
    ({ label, cell }) => html`<td role="cell" data-label="${label}"><div>${cell(row)}</div></td>`,
  )}</tr>
`,
)}</tbody>
</table>`;
}

/** Makes a list of names and values. Omits those without a value. */
export function facts(entries: readonly [name: string, value: HtmlValue][]): Html {
  return html`<dl class="facts">${entries
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Makes the links below a page of a list: to its first page and to the next one. */
export function paging(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
  nextCursor: string | undefined,
): Html {
  const { cursor } = query;
  const first =
    cursor !== undefined &&
    html`<a href="${urlOf(path, { ...query, cursor: undefined })}">First page</a> `;
  const next =
    nextCursor !== undefined &&
    html`<a rel="next" href="${urlOf(path, { ...query, cursor: nextCursor })}">Next page</a>`;
  return html`${(first || next) && html`<nav class="paging" aria-label="Pages of the list">${first}${next}</nav>`}`;
}

/** Makes a URL of a path and the parameters that have a value. */
export function urlOf(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value));
  }
  return given.size === 0 ? path : `${path}?${given}`;
}
