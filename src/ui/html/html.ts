import { escapeHtml } from '#problems/page.ts';

const markup = Symbol('markup');

/** Markup. Only `html` makes it, so every text in it is escaped. */
export interface Html {
  readonly [markup]: string;
}

/** A value in a template. Texts are escaped; a missing value is an empty text. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/** Makes markup of a template. Values may stand in content and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: HtmlValue[]): Html {
  let text = '';
  for (const [index, part] of parts.entries()) text += part + toMarkup(values[index]);
  return { [markup]: text };
}

/** Returns the text of markup, to be sent. */
export function toMarkup(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeHtml(value).replaceAll("'", '&#39;');
  if (markup in value) return value[markup];
  return value.map(toMarkup).join('');
}

/** A text of this service. Its parts in backticks are code. */
export const prose = (text: string): Html =>
  html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;

/** A name that somebody else has chosen. Its writing direction does not affect the text around it. */
export const nameOf = (text: string): Html => html`<bdi class="name">${breakable(text)}</bdi>`;

/** The same as code. */
export const asCode = (text: string): Html => html`<code><bdi>${breakable(text)}</bdi></code>`;

/** Lets a line end after a separator within a name, not only within its words. */
function breakable(text: string): Html {
  const [first, ...others] = text.split(/(?<=[^/._-][/._-])(?=.)/s);
  return html`${first}${others.map((part) => html`<wbr>${part}`)}`;
}
