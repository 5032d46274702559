import { expect, test } from 'vitest';

import { openStore, storageBackends } from '../../../export-jobs/storage-backends.ts';
import { liveThrough, type TurnedTime } from './random-years.ts';

// The long form: RUNS=200 UNITS=400 BACKEND=PostgreSQL npx vitest run test/archives/keeper/model
const { RUNS = '2', UNITS = '30', SEED, BACKEND = 'SQLite' } = process.env;
const seeds = SEED
  ? [Number(SEED)]
  : Array.from({ length: Number(RUNS) }, () => Math.floor(Math.random() * 2 ** 31));

test.each(seeds)(
  'covers, loses or waives all time that random years want, with seed %i',
  async (seed) => {
    const time: TurnedTime = { now: 0 };
    const openStorage = new Map(storageBackends).get(BACKEND);
    if (!openStorage) throw new Error(`No storage backend has the name ${BACKEND}.`);
    await using database = await openStore(openStorage, () => time.now);

    const years = await liveThrough(database, time, { seed, days: Number(UNITS) });

    expect(years.looks).toBeGreaterThan(20);
    expect(years.faults, years.events.join('\n')).toEqual([]);
  },
);
