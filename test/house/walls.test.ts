import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

// The rules of the house, read off the import lines themselves.

interface Import {
  from: string;
  to: string;
  isRelative: boolean;
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort();
const sources = new Map(files.map((file) => [file, readFileSync(join('src', file), 'utf8')]));
const specifiers = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;

const imports: Import[] = files.flatMap((from) =>
  [...(sources.get(from) ?? '').matchAll(specifiers)].map(([, specifier = '']) => {
    const isRelative = specifier.startsWith('.');
    const to = isRelative ? normalize(join(dirname(from), specifier)) : specifier.replace(/^#/, '');
    return { from, to, isRelative };
  }),
);
const ownImports = imports.filter(({ to }) => sources.has(to));

// Files in no folder are the hall.
const features = ['export-jobs', 'export-tasks', 'targets'];

const roomOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : 'hall');

/** Higher may import lower or equal, never the other way round. */
function floorOf(room: string): number {
  if (room === 'bin') return 5;
  if (room === 'hall') return 4;
  if (room === 'config') return 3;
  if (features.includes(room)) return 2;
  return room === 'problems' ? 0 : 1; // worlds and manners stand on problems
}

const offending = (isOffence: (found: Import) => boolean, among = ownImports) =>
  among.filter(isOffence).map(({ from, to }) => `${from} → ${to}`);

describe('the walls', () => {
  test('arrows point one way: doors, hall, features, worlds and manners, problems', () => {
    expect(offending(({ from, to }) => floorOf(roomOf(from)) < floorOf(roomOf(to)))).toEqual([]);
  });

  test('no room leads back to itself', () => {
    const next = Map.groupBy(ownImports, ({ from }) => roomOf(from));
    const reaches = (room: string, goal: string, seen = new Set<string>()): boolean =>
      (next.get(room) ?? []).some(({ to }) => {
        const there = roomOf(to);
        if (there === room || seen.has(there)) return false;
        seen.add(there);
        return there === goal || reaches(there, goal, seen);
      });
    const rooms = new Set(files.map(roomOf));

    expect([...rooms].filter((room) => reaches(room, room))).toEqual([]);
  });

  test('no file leads back to itself', () => {
    const next = Map.groupBy(ownImports, ({ from }) => from);
    const reaches = (file: string, goal: string, seen = new Set<string>()): boolean =>
      (next.get(file) ?? []).some(({ to }) => {
        if (seen.has(to)) return false;
        seen.add(to);
        return to === goal || reaches(to, goal, seen);
      });

    expect(files.filter((file) => roomOf(file) !== 'emulator' && reaches(file, file))).toEqual([]);
  });

  test('imports across rooms name the room, inside a room they are relative', () => {
    expect(
      offending(({ from, to, isRelative }) => (roomOf(from) === roomOf(to)) !== isRelative),
    ).toEqual([]);
  });

  test('between features only nouns cross', () => {
    expect(
      offending(
        ({ from, to }) =>
          roomOf(from) !== roomOf(to) &&
          features.includes(roomOf(from)) &&
          features.includes(roomOf(to)) &&
          /plugin\.ts$|\/routes\//.test(to),
      ),
    ).toEqual([]);
  });

  test('only app.ts, plugins and routes know Fastify', () => {
    const knowsFastify = /^fastify$|^fastify-plugin$|^@fastify\//;
    const may = /^app\.ts$|\/plugin\.ts$|\/routes\//;

    expect(offending(({ from, to }) => knowsFastify.test(to) && !may.test(from), imports)).toEqual(
      [],
    );
  });

  test('only the room aws, and the demo in the part of a customer, import the AWS SDK', () => {
    const may = (file: string) => roomOf(file) === 'aws' || file === 'bin/demo.ts';

    expect(offending(({ from, to }) => to.startsWith('@aws-sdk/') && !may(from), imports)).toEqual(
      [],
    );
  });

  test('only the room database imports the drivers of databases', () => {
    const isDriver = (name: string) => name === 'pg' || name === 'node:sqlite';

    expect(
      offending(({ from, to }) => isDriver(to) && roomOf(from) !== 'database', imports),
    ).toEqual([]);
  });

  test('the emulator imports nothing but itself and Node, and only doors and their examples import it', () => {
    const isEmulator = (file: string) => roomOf(file) === 'emulator';
    const may = ['bin/demo.ts', 'bin/emulate.ts', 'bin/examples.ts'];

    expect(
      offending(
        ({ from, to }) => isEmulator(from) && !isEmulator(to) && !to.startsWith('node:'),
        imports,
      ),
    ).toEqual([]);
    expect(
      offending(({ from, to }) => isEmulator(to) && !isEmulator(from) && !may.includes(from)),
    ).toEqual([]);
  });

  test('the environment is read in doors only', () => {
    const reading = files.filter((file) => sources.get(file)?.includes('process.env'));

    expect(reading.filter((file) => roomOf(file) !== 'bin')).toEqual([]);
  });
});

describe('the rooms', () => {
  test('are small: files of at most 250 lines, folders of at most nine files', () => {
    const long = files.filter((file) => (sources.get(file)?.split('\n').length ?? 0) > 251);
    const folders = new Set(
      files.filter((file) => file.includes('/')).map((file) => dirname(file)),
    );
    const full = [...folders].filter(
      (folder) => files.filter((file) => dirname(file) === folder).length > 9,
    );

    expect([...long, ...full]).toEqual([]);
  });

  test('have names of their own', () => {
    const nameless = /(?:^|\/)(?:utils?|helpers?|common|lib|index\.ts)(?:\/|$)/;

    expect(files.filter((file) => nameless.test(file))).toEqual([]);
  });

  test('have functions and closures; the one class is Problem', () => {
    const classes = files.filter((file) =>
      /^(?:export )?(?:abstract )?class /m.test(sources.get(file) ?? ''),
    );

    expect(classes).toEqual(['problems/problem.ts']);
  });
});
