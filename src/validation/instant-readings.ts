// Longer than any way to write an instant; what is longer need not be looked at.
const maxLength = 40;

const yearFirst = /^(\d{4})[-/.]?(\d\d)[-/.]?(\d\d)(?:[Tt ](.+))?$/;
const yearLast = /^(\d\d?)[-/.](\d\d?)[-/.](\d{4})(?:[Tt ](.+))?$/;
const timeAndOffset = /^(\d\d):?(\d\d)(?::?(\d\d)((?:[.,]\d+)?))? ?([Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/** What a text may mean, in RFC 3339; of these some may be no instants. */
export interface Readings {
  texts: string[];
  /** Whether the text has an offset of its own; else they are in UTC. */
  hasOffset: boolean;
}

/** Reads a text that is nearly RFC 3339: a date alone, the day first, an offset without its colon. */
export function readingsOf(text: string): Readings {
  const trimmed = text.trim().slice(0, maxLength + 1);
  const first = yearFirst.exec(trimmed);
  const last = yearLast.exec(trimmed);
  const time = timeAndOffset.exec((first ?? last)?.[4] ?? '00:00');
  if (!time || trimmed.length > maxLength) return { texts: [], hasOffset: false };
  const [, hour, minute, second = '00', fraction = '', offset] = time;
  const clock = `${hour}:${minute}:${second}${fraction.replace(',', '.')}${toOffset(offset)}`;
  return {
    texts: datesOf(first, last).map((date) => `${date}T${clock}`),
    hasOffset: offset !== undefined,
  };
}

function datesOf(first: RegExpExecArray | null, last: RegExpExecArray | null): string[] {
  if (first) return [first.slice(1, 4).join('-')];
  if (!last) return [];
  const [one, other] = last.slice(1, 3).map((part) => part.padStart(2, '0'));
  // The day first, as in most of the world, or the month: where both can be, both are told.
  return [...new Set([`${last[3]}-${other}-${one}`, `${last[3]}-${one}-${other}`])];
}

function toOffset(offset = 'Z'): string {
  const [sign, hours, minutes] = [offset.slice(0, 1), offset.slice(1, 3), offset.slice(-2)];
  if (hours === '') return 'Z';
  return `${sign}${hours}:${offset.length > 3 ? minutes : '00'}`;
}
