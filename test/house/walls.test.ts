import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

// The rules about imports, checked against the import lines.

interface Import {
  from: string;
  to: string;
  isRelative: boolean;
}

interface Sources {
  folder: string;
  /** Paths of the files inside the folder. */
  files: string[];
  /** Text by file. */
  texts: Map<string, string>;
  imports: Import[];
}

const specifiers = /(?:\bfrom|\bimport)\s*\(?\s*'([^'\s]+)'/g;

function readSources(folder: string): Sources {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort();
  const texts = new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  const imports = [...texts].flatMap(([from, text]) =>
    [...text.matchAll(specifiers)].map(([, specifier = '']) => {
      const isRelative = specifier.startsWith('.');
      const to = isRelative
        ? normalize(join(dirname(from), specifier))
        : specifier.replace(/^#/, '');
      return { from, to, isRelative };
    }),
  );
  return { folder, files, texts, imports };
}

const service = readSources('src');
const emulator = readSources('emulator/src');
const { files, texts: sources, imports } = service;
const ownImports = imports.filter(({ to }) => sources.has(to));

// Files in no folder are the hall.
const features = [
  'archives',
  'coverage',
  'export-jobs',
  'export-tasks',
  'preflights',
  'targets',
  'ui',
  'webhook-endpoints',
  'wire',
];

const roomOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : 'hall');

/** A room may import rooms of the same level or lower, never higher. */
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
  test('imports point one way: doors, hall, features, worlds and manners, problems', () => {
    expect(offending(({ from, to }) => floorOf(roomOf(from)) < floorOf(roomOf(to)))).toEqual([]);
  });

  test('no room imports itself through other rooms', () => {
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

  test.each([service, emulator])(
    'no file of $folder imports itself through other files',
    (folder) => {
      const next = Map.groupBy(folder.imports, ({ from }) => from);
      const reaches = (file: string, goal: string, seen = new Set<string>()): boolean =>
        (next.get(file) ?? []).some(({ to }) => {
          if (seen.has(to)) return false;
          seen.add(to);
          return to === goal || reaches(to, goal, seen);
        });

      expect(folder.files.filter((file) => reaches(file, file))).toEqual([]);
    },
  );

  test('imports across rooms name the room, inside a room they are relative', () => {
    expect(
      offending(({ from, to, isRelative }) => (roomOf(from) === roomOf(to)) !== isRelative),
    ).toEqual([]);
  });

  test('a feature imports no plugin and no route of another feature', () => {
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

  test('nothing but the demo loads S3 and KMS of the SDK before their first use', () => {
    const early = /^(?:import|export) (?!type )[^;']*\bfrom '@aws-sdk\/client-(?:s3|kms)'/m;
    const loading = [...sources].filter(([, text]) => early.test(text)).map(([file]) => file);

    expect(loading.filter((file) => file !== 'bin/demo.ts')).toEqual([]);
    expect(sources.get('aws/storage/calls/sdk.ts')).toContain("import('@aws-sdk/client-s3')");
  });

  test('only the room database imports the drivers of databases', () => {
    const isDriver = (name: string) => name === 'pg' || name === 'node:sqlite';

    expect(
      offending(({ from, to }) => isDriver(to) && roomOf(from) !== 'database', imports),
    ).toEqual([]);
  });

  test('the room diagnostics imports only Node', () => {
    const isNode = (name: string) => name.startsWith('node:');

    expect(
      offending(
        ({ from, to }) =>
          roomOf(from) === 'diagnostics' && roomOf(to) !== 'diagnostics' && !isNode(to),
        imports,
      ),
    ).toEqual([]);
  });

  test('the command line imports only Node, and only its door imports it', () => {
    const isNode = (name: string) => name.startsWith('node:');
    const isCli = (file: string) => roomOf(file) === 'cli';

    expect(offending(({ from, to }) => isCli(from) && !isCli(to) && !isNode(to), imports)).toEqual(
      [],
    );
    expect(
      offending(
        ({ from, to }) => isCli(to) && !isCli(from) && from !== 'bin/log-export.ts',
        imports,
      ),
    ).toEqual([]);
  });

  test('only the hall opens metrics and traces: rooms publish, and do not know who listens', () => {
    const may = (room: string) => room === 'hall' || room === 'telemetry';
    const isListener = (file: string) => /^telemetry\/(?:metrics|traces)\//.test(file);

    expect(offending(({ from, to }) => isListener(to) && !may(roomOf(from)))).toEqual([]);
  });

  test('a start loads no package that only some settings need', () => {
    // Neither types nor import() load a file at the start.
    const eager = /^(?:import|export) (?!type\b)(?:[^;']*? from )?'([^']+)';/gm;
    const optional = /^(?:@opentelemetry\/|@prometheus-io\/|@cedar-policy\/|pino-pretty$|pg$)/;
    const loaded = new Set(['bin/serve.ts']);
    for (const file of loaded) {
      for (const [, specifier = ''] of (sources.get(file) ?? '').matchAll(eager)) {
        const isRelative = specifier.startsWith('.');
        loaded.add(isRelative ? join(dirname(file), specifier) : specifier.replace(/^#/, ''));
      }
    }

    expect(loaded).toContain('app.ts');
    expect(loaded).toContain('fastify');
    expect([...loaded].filter((name) => optional.test(name))).toEqual([]);
  });

  test('the emulator imports only itself and Node', () => {
    const isOwn = (file: string) => emulator.texts.has(file);

    expect(offending(({ to }) => !isOwn(to) && !to.startsWith('node:'), emulator.imports)).toEqual(
      [],
    );
  });

  test('only doors of the service import the emulator', () => {
    const isEmulator = (name: string) => name.startsWith('cloudwatch-logs-export-emulator');

    expect(offending(({ from, to }) => isEmulator(to) && roomOf(from) !== 'bin', imports)).toEqual(
      [],
    );
  });

  test.each(['src', 'test', 'bench'])(
    '%s imports the emulator by the name of its package',
    (folder) => {
      const isPathToEmulator = (path: string) => /^(?:\.\.\/)+emulator\//.test(path);
      const { imports } = readSources(folder);

      expect(offending(({ to }) => isPathToEmulator(to), imports)).toEqual([]);
    },
  );

  test('the environment is read in doors only', () => {
    const readers = ({ texts }: Sources) =>
      [...texts].filter(([, text]) => text.includes('process.env')).map(([file]) => file);

    expect(readers(service).filter((file) => roomOf(file) !== 'bin')).toEqual([]);
    expect(readers(emulator)).toEqual(['bin/serve.ts']);
  });
});

describe.each([service, emulator])('the rooms of $folder', ({ folder, files, texts }) => {
  // A released migration stays a file of its own, so that folder grows with every release.
  const growing = ['database/migrations'];

  test('are small: files of at most 250 lines, folders of at most nine files', () => {
    const long = files.filter((file) => (texts.get(file)?.split('\n').length ?? 0) > 251);
    const folders = new Set(
      files.filter((file) => file.includes('/')).map((file) => dirname(file)),
    );
    const full = [...folders].filter(
      (room) =>
        !growing.includes(room) && files.filter((file) => dirname(file) === room).length > 9,
    );

    expect([...long, ...full]).toEqual([]);
  });

  test('have names of their own', () => {
    const nameless = /(?:^|\/)(?:utils?|helpers?|common|lib|index\.ts)(?:\/|$)/;

    expect(files.filter((file) => nameless.test(file))).toEqual([]);
  });

  test('have functions and closures; the one class is Problem', () => {
    const classes = files.filter((file) =>
      /^(?:export )?(?:abstract )?class /m.test(texts.get(file) ?? ''),
    );

    expect(classes).toEqual(folder === 'src' ? ['problems/problem.ts'] : []);
  });
});
