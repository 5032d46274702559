import { globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Environment } from '#config/variables.ts';
import { documentBase } from '#openapi/document.ts';
import { catalogue, findProblemKind } from '#problems/catalogue.ts';

const variables = Object.entries(Environment.properties) as [
  string,
  { description: string; default?: unknown },
][];

describe('the documents', () => {
  test('.env.example has every variable, with its default, and no other', () => {
    const lines = readFileSync('.env.example', 'utf8').split('\n');
    const found = lines.flatMap((line) => {
      const [, name, value] = /^#? ?([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value]];
    });

    expect(found.map(([name]) => name)).toEqual(variables.map(([name]) => name));
    for (const [name, schema] of variables) {
      if (schema.default === undefined) continue;
      expect(found).toContainEqual([name, String(schema.default)]);
    }
  });

  test('.env.example describes every variable in the words of the configuration', () => {
    // Each comment is the description, wrapped and without backticks, then the allowed values, if any.
    const blocks = readFileSync('.env.example', 'utf8').matchAll(
      /((?:^# .*\n)+?)^(?:# )?([A-Z_]+)=/gm,
    );
    const comments = new Map(
      [...blocks].map(([, comment = '', name = '']) => [
        name,
        comment.replaceAll(/^# |\n$/gm, '').replaceAll('\n', ' '),
      ]),
    );
    const others = variables.filter(
      ([name, { description }]) => !comments.get(name)?.startsWith(description.replaceAll('`', '')),
    );

    expect(others.map(([name]) => name)).toEqual([]);
  });

  test('docs/configuration.md has the name, default and description of every variable', () => {
    const page = readFileSync('docs/configuration.md', 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$/gm)].map((row) =>
      row.slice(1, 4),
    );

    expect(rows).toEqual(
      variables.map(([name, { default: fallback, description }]) => [
        name,
        fallback === undefined ? '' : `\`${fallback}\``,
        description,
      ]),
    );
  });

  test('the OpenAPI document has the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

    expect(documentBase.info.version).toBe(version);
  });

  test('docs/problems.md names exactly the problems of the catalogue, each in the row of its status', () => {
    const page = readFileSync('docs/problems.md', 'utf8');
    const named = [...page.matchAll(/^\| (\d{3}(?:, \d{3})*) \| (.*) \|$/gm)].flatMap((row) =>
      [...(row[2] ?? '').matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, slug = '']) => ({
        slug,
        statuses: row[1]?.split(', ').map(Number),
      })),
    );

    expect(named.map(({ slug }) => slug).sort()).toEqual(Object.keys(catalogue).sort());
    for (const { slug, statuses } of named) {
      expect(statuses, slug).toContain(findProblemKind(slug)?.status);
    }
  });

  test('examples of problems in the docs have the title and status of the catalogue', () => {
    const pages = readdirSync('docs').filter((file) => file.endsWith('.md'));
    const shown = pages.flatMap((page) =>
      [...readFileSync(`docs/${page}`, 'utf8').matchAll(/^```json\n(.*?)^```$/gms)]
        .map(([, text = '']) => JSON.parse(text))
        .filter(({ type }) => typeof type === 'string' && type.startsWith('/problems/')),
    );

    expect(shown).not.toEqual([]);
    for (const { type, title, status } of shown) {
      const kind = findProblemKind(type.replace('/problems/', ''));
      expect({ type, title, status }).toEqual({ type, title: kind?.title, status: kind?.status });
    }
  });

  test('docs/api.md names every operation with its query parameters, and no other', () => {
    const { paths } = JSON.parse(readFileSync('openapi/openapi.json', 'utf8')) as {
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [] }]) => ({
        name: `${method.toUpperCase()} ${path}`,
        query: parameters.filter((each) => each.in === 'query').map(({ name }) => name),
      })),
    );
    const rows = readFileSync('docs/api.md', 'utf8').matchAll(/^\| (`[A-Z]+ [^|]*`) \|/gm);
    const named = [...rows].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z]+ [^`?]+)\??([^`]*)`/g)].map(([, name = '', query = '']) => ({
        name,
        query: query.split('&').filter((each) => each !== ''),
      })),
    );

    // Swagger UI is not an operation of the document, and most operations have ?target=.
    expect(named.map(({ name }) => name).sort()).toEqual(
      [...operations.map(({ name }) => name), 'GET /docs'].sort(),
    );
    for (const { name, query } of named) {
      const known = operations.find((operation) => operation.name === name)?.query ?? [];
      const withoutTarget = (names: string[]) => names.filter((each) => each !== 'target').sort();
      expect({ name, query: withoutTarget(query) }).toEqual({ name, query: withoutTarget(known) });
    }
  });

  test('every problem is provoked by some test', () => {
    const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !file.startsWith('house/'))
      .map((file) => readFileSync(`test/${file}`, 'utf8'))
      .join('\n');
    const unprovoked = Object.keys(catalogue).filter((slug) => !tests.includes(slug));

    // The tests of the error table provoke its problems without their names in the source.
    expect(
      unprovoked.filter(
        (slug) =>
          !['operation-aborted', 'resource-already-exists', 'service-role-not-permitted'].includes(
            slug,
          ),
      ),
    ).toEqual([]);
  });

  test('docs/benchmarks.md names every figure of npm run bench, and no page names another', () => {
    const [, table = ''] =
      /const figures = \{\n(.*?)^\};/ms.exec(readFileSync('bench/main.ts', 'utf8')) ?? [];
    const figures = [...table.matchAll(/^ {2}'?([a-z-]+)'?:/gm)].map(([, name]) => name);
    const page = readFileSync('docs/benchmarks.md', 'utf8');
    const [, list = ''] = /^Figures: (.*)$/m.exec(page) ?? [];
    const run = globSync('docs/**/*.md')
      .map((file) => readFileSync(file, 'utf8'))
      .flatMap((text) => [...text.matchAll(/npm run bench ([a-z][a-z -]*)/g)])
      .flatMap(([, names = '']) => names.trim().split(' '));

    expect([...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).toEqual(figures);
    expect(run).not.toEqual([]);
    expect(run.filter((name) => !figures.includes(name))).toEqual([]);
  });

  test('docs/reliability.md explains every scenario of npm run chaos, and no other', () => {
    const source = readFileSync('test/chaos/scenarios.ts', 'utf8');
    const scenarios = new Set([...source.matchAll(/name: '([a-z-]+)'/g)].map(([, name]) => name));
    const page = readFileSync('docs/reliability.md', 'utf8');
    const explained = [...page.matchAll(/^\| `([a-z-]+)` \| [^|]* \|$/gm)].map(([, name]) => name);

    expect(explained.sort()).toEqual([...scenarios].sort());
  });

  test('every direct dependency is explained in docs/dependencies.md', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    );
    const told = readFileSync('docs/dependencies.md', 'utf8');
    const all = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });

    expect(all.filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
  });
});
