import { describe, expect, test } from 'vitest';

import { makePlaces, type PlaceLimits } from '#aws/regions/places.ts';

const settled = () => new Promise(setImmediate);

/** Places with calls that end when the test says so. */
function openPlaces(limits: PlaceLimits) {
  const places = makePlaces(limits);
  const inFlight: { name: string; end: () => void }[] = [];
  const holders = new Map<string, object>();
  const entered: string[] = [];

  function start(name: string, signal: AbortSignal = new AbortController().signal): Promise<void> {
    const holder = holders.get(name) ?? {};
    holders.set(name, holder);
    return places.hold(holder, signal, () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      entered.push(name);
      inFlight.push({ name, end: resolve });
      return promise;
    });
  }

  return {
    entered,
    start,
    async startMany(name: string, count: number) {
      for (let started = 0; started < count; started += 1) start(name).catch(() => {});
      await settled();
    },
    held: (name: string) => inFlight.filter((call) => call.name === name).length,
    async end(name: string) {
      const index = inFlight.findIndex((call) => call.name === name);
      inFlight.splice(index, 1)[0]?.end();
      await settled();
    },
  };
}

describe('places', () => {
  test('are limited for one holder', async () => {
    const places = openPlaces({ total: 64, perHolder: 4 });

    await places.startMany('one', 10);

    expect(places.held('one')).toBe(4);
  });

  test('leave room for others while a dozen holders hang', async () => {
    const places = openPlaces({ total: 64, perHolder: 8 });

    for (let holder = 0; holder < 12; holder += 1) await places.startMany(`hangs-${holder}`, 20);
    await places.startMany('healthy', 1);

    expect(places.held('hangs-0')).toBe(8);
    expect(places.held('hangs-11')).toBe(1);
    expect(places.held('healthy')).toBe(1);
  });

  test('are half free for others after the calls of many holders hung', async () => {
    const places = makePlaces({ total: 8, perHolder: 1 });
    const holders = Array.from({ length: 20 }, () => ({}));
    const controller = new AbortController();
    const { signal } = controller;
    const untilAborted = () =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    const first = holders.map((holder) => places.hold(holder, signal, untilAborted));
    controller.abort();
    await Promise.allSettled(first);
    const entered: string[] = [];
    const hang = (name: string) => () => {
      entered.push(name);
      return new Promise(() => {});
    };

    const patient = new AbortController().signal;
    for (const holder of holders.slice(0, 8)) void places.hold(holder, patient, hang('hangs'));
    for (let call = 0; call < 3; call += 1) void places.hold({}, patient, hang('healthy'));
    await settled();

    expect(entered).toEqual([...Array(4).fill('hangs'), ...Array(3).fill('healthy')]);
  });

  test('are taken in turn by a holder whose last call hung, however busy others are', async () => {
    const places = makePlaces({ total: 2, perHolder: 1 });
    const holder = {};
    const { signal } = new AbortController();
    const timeout = Object.assign(new Error('no answer'), { name: 'TimeoutError' });
    await places.hold(holder, signal, () => Promise.reject(timeout)).catch(() => {});
    const ends: (() => void)[] = [];
    const busy = () => new Promise<void>((resolve) => ends.push(resolve));
    for (let call = 0; call < 2; call += 1) void places.hold({}, signal, busy);

    const answer = places.hold(holder, signal, async () => 'answer');
    for (let call = 0; call < 10; call += 1) void places.hold({}, signal, busy);
    ends[0]?.();

    expect(await answer).toBe('answer');
  });

  test('are not limited for holders whose calls are answered again', async () => {
    const places = makePlaces({ total: 4, perHolder: 1 });
    const { signal } = new AbortController();
    const timeout = Object.assign(new Error('no answer'), { name: 'TimeoutError' });
    const holders = [{}, {}, {}, {}];
    for (const holder of holders) {
      await places.hold(holder, signal, () => Promise.reject(timeout)).catch(() => {});
      await places.hold(holder, signal, async () => 'answer');
    }
    let entered = 0;

    for (const holder of holders) {
      void places.hold(holder, signal, () => {
        entered += 1;
        return new Promise(() => {});
      });
    }
    await settled();

    expect(entered).toBe(4);
  });

  test('never exceed their total', async () => {
    const places = openPlaces({ total: 8, perHolder: 4 });

    for (let holder = 0; holder < 20; holder += 1) await places.startMany(`${holder}`, 5);

    expect(places.entered).toHaveLength(8);
  });

  test('go to the holders that wait in turn', async () => {
    const places = openPlaces({ total: 2, perHolder: 1 });
    await places.startMany('a', 3);
    await places.startMany('b', 3);
    await places.startMany('c', 1);

    for (const name of ['a', 'b', 'a', 'b', 'c']) await places.end(name);

    expect(places.entered).toEqual(['a', 'b', 'a', 'b', 'c', 'a', 'b']);
  });

  test('are free again after a failed call', async () => {
    const places = makePlaces({ total: 1, perHolder: 1 });
    const { signal } = new AbortController();
    const holder = {};

    await expect(
      places.hold(holder, signal, async () => {
        throw new Error('failed');
      }),
    ).rejects.toThrow('failed');

    expect(await places.hold(holder, signal, async () => 'answer')).toBe('answer');
  });

  test('are not taken by a call whose time ends while it waits', async () => {
    const places = openPlaces({ total: 4, perHolder: 1 });
    const controller = new AbortController();
    await places.startMany('one', 1);

    const late = places.start('one', controller.signal);
    const next = places.start('one');
    controller.abort();
    await expect(late).rejects.toThrow('not sent in time');
    await places.end('one');
    await places.end('one');
    await next;

    expect(places.entered).toEqual(['one', 'one']);
  });

  test('are not taken by a call whose time has ended before', async () => {
    const places = openPlaces({ total: 4, perHolder: 1 });

    await expect(places.start('one', AbortSignal.abort())).rejects.toThrow('not sent in time');

    expect(places.entered).toEqual([]);
  });
});
