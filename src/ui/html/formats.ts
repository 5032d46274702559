import { inDigits } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import { type Html, html } from './html.ts';

/** An instant, by its RFC 3339 text or in epoch ms, to the second in UTC. */
export function instant(at: string | number): Html {
  const text = typeof at === 'number' ? toDateTime(at) : at;
  return html`<time datetime="${text}">${inUtc(text)}</time>`;
}

/** An instant and how long ago it was. */
export function instantAgo(at: string | number, now: number): Html {
  const ms = now - (typeof at === 'number' ? at : Date.parse(at));
  return html`${instant(at)} <span class="ago">${ms >= 0 ? `${span(ms)} ago` : `in ${span(-ms)}`}</span>`;
}

/** The text of an instant, to the second in UTC. */
export const inUtc = (text: string): string => `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;

const units: [name: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** A duration in its two largest units: `3 h 20 min`. */
export function span(ms: number): string {
  const first = units.findIndex(([, unitMs]) => ms >= unitMs);
  if (first < 0) return '0 s';
  let rest = ms;
  const parts = units.slice(first, first + 2).map(([name, unitMs]) => {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    return count === 0 ? '' : `${count} ${name}`;
  });
  return parts.filter((part) => part !== '').join(' ');
}

/** A part of a whole: `12 of 24`. */
export const outOf = (part: number, whole: number): string =>
  part === whole ? inDigits(whole) : `${inDigits(part)} of ${inDigits(whole)}`;
