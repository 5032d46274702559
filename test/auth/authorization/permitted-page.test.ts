import { expect, test } from 'vitest';

import { readPermittedPage } from '#auth/authorization/permitted-page.ts';
import { maxPartsPerPage, readCursor } from '#paging/page.ts';

interface Entry {
  at: number;
  id: string;
}

/** Reads a page of a list whose parts have one entry each, and `isEmpty` parts none. */
async function readPage(isEmpty: (part: number) => boolean) {
  let parts = 0;
  let turns = 0;
  const isRead = new AbortController();
  const countTurns = () => {
    turns += 1;
    if (!isRead.signal.aborted) setImmediate(countTurns);
  };
  setImmediate(countTurns);
  const page = await readPermittedPage<Entry>({
    limit: 5,
    after: undefined,
    async readPart() {
      parts += 1;
      const entry = { at: 100 - parts, id: `${parts}-23456789` };
      return { entries: isEmpty(parts) ? [] : [entry], next: entry };
    },
    async *evaluate(heads) {
      for (const head of heads) yield { head, isPermitted: true, decisions: 1 };
    },
    cursorOf: (entry) => entry,
  });
  isRead.abort();
  return { page, parts, turns };
}

test('ends a page with a cursor after a limited number of parts without entries', async () => {
  const { page, parts } = await readPage((part) => part !== 3);

  expect(page.entries).toEqual([{ at: 97, id: '3-23456789' }]);
  expect(parts).toBe(maxPartsPerPage);
  expect(readCursor(page.nextCursor, ['number', 'string'])).toEqual([90, '10-23456']);
});

test('reads no further part when the page is full', async () => {
  const { page, parts } = await readPage(() => false);

  expect(page.entries).toHaveLength(5);
  expect(parts).toBe(6);
  expect(readCursor(page.nextCursor, ['number', 'string'])).toEqual([95, '5-23456789']);
});

test('takes a turn of the event loop between two parts', async () => {
  const { parts, turns } = await readPage(() => true);

  expect(turns).toBeGreaterThanOrEqual(parts - 1);
});
