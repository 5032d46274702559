// No form of an instant is longer.
const maxLength = 40;

const yearFirst = /^(\d{4})[-/.]?(\d\d)[-/.]?(\d\d)(?:[Tt ](.+))?$/;
const yearLast = /^(\d\d?)[-/.](\d\d?)[-/.](\d{4})(?:[Tt ](.+))?$/;
const timeAndOffset = /^(\d\d):?(\d\d)(?::?(\d\d)((?:[.,]\d+)?))? ?([Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/** The possible readings of a text in RFC 3339; some may be invalid. */
export interface Readings {
  texts: string[];
  /** Whether the text contains an offset; otherwise the readings are in UTC. */
  hasOffset: boolean;
}

/** Reads a text that is almost RFC 3339: without time, with the day first, or with an offset without colon. */
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
  // The day or the month may come first. If both are possible, both are returned.
  return [...new Set([`${last[3]}-${other}-${one}`, `${last[3]}-${one}-${other}`])];
}

function toOffset(offset = 'Z'): string {
  const [sign, hours, minutes] = [offset.slice(0, 1), offset.slice(1, 3), offset.slice(-2)];
  if (hours === '') return 'Z';
  return `${sign}${hours}:${offset.length > 3 ? minutes : '00'}`;
}
