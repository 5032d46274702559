import { describe, expect, test } from 'vitest';

import { evictOldest, setAsNewest } from '#caching/bounded-map.ts';

describe('setAsNewest', () => {
  test('evicts the oldest entry when the Map is full', () => {
    const map = new Map([['a', 1]]);

    setAsNewest(map, 'b', 2, 2);
    setAsNewest(map, 'c', 3, 2);

    expect([...map]).toEqual([
      ['b', 2],
      ['c', 3],
    ]);
  });

  test('makes an entry that is set again the newest, and evicts nothing for it', () => {
    const map = new Map([
      ['a', 1],
      ['b', 2],
    ]);

    setAsNewest(map, 'a', 3, 2);

    expect([...map]).toEqual([
      ['b', 2],
      ['a', 3],
    ]);
  });

  test('evicts a key that is undefined like any other', () => {
    const map = new Map<string | undefined, number>([[undefined, 1]]);

    setAsNewest(map, 'a', 2, 1);

    expect([...map]).toEqual([['a', 2]]);
  });
});

describe('evictOldest', () => {
  test('leaves the newest entries, and no more than asked for', () => {
    const map = new Map([1, 2, 3, 4].map((key) => [key, key]));

    evictOldest(map, 2);

    expect([...map.keys()]).toEqual([3, 4]);
  });
});
