import { instantAgo } from '../html/formats.ts';
import { type Html, type HtmlValue, html, prose } from '../html/html.ts';

/** A problem as the API shows it, of a target, a slice or a request. */
interface ShownProblem {
  type: string;
  title: string;
  detail: string;
  remedy: string;
}

/** The name of a problem, with a link to its explanation. */
export const problemLink = ({ type, title }: Pick<ShownProblem, 'type' | 'title'>): Html =>
  html`<a href="${type}">${title}</a>`;

/** What a problem is about, and since when if that is known. */
export const labelSince = (label: string, since: string | number | undefined, now: number): Html =>
  html`${label}${since !== undefined && html`, since ${instantAgo(since, now)}`}`;

/** A problem with its detail and its remedy. `label` says what it is about. */
export function problemBox(problem: ShownProblem, label: HtmlValue): Html {
  const { type, detail, remedy } = problem;
  return html`<section class="problem"><h3>${problemLink(problem)} <code>${type.slice(type.lastIndexOf('/') + 1)}</code></h3>
<p class="note">${label}</p>
<p>${detail}</p>
<p><strong>What to do:</strong> ${prose(remedy)}</p></section>`;
}
