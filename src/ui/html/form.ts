import { type Html, html } from './html.ts';

/** A list to choose from; the first choice is none of them. */
export function choice(
  label: string,
  name: string,
  values: readonly string[],
  chosen: string | undefined,
): Html {
  return html`<label>${label} <select name="${name}"><option value="">any</option>${values.map(
    (value) => html`<option${value === chosen && html` selected`}>${value}</option>`,
  )}</select></label>`;
}

/** A field for a text. */
export function field(
  label: string,
  name: string,
  value: string | undefined,
  maxLength: number,
): Html {
  return html`<label>${label} <input name="${name}" value="${value}" maxlength="${maxLength}" autocomplete="off" spellcheck="false"></label>`;
}

/** A form that filters the list of the page at a path. */
export function filterForm(path: string, fields: readonly Html[]): Html {
  return html`<form class="filter" method="get" action="${path}" role="search" aria-label="Filter">${fields}<button>Filter</button> <a href="${path}">Reset</a></form>`;
}
