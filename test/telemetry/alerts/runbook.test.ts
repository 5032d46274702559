import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readLogMessages } from '../../house/log-messages.ts';
import { postgresUrl } from '../../postgres-databases.ts';
import { openWorld, type World } from '../../world.ts';
import { labelsOf } from './known-metrics.ts';
import { parsePromql } from './promql.ts';
import { readRules, sectionOf } from './read-rules.ts';
import { curlOf, readRunbook, runbookFile } from './read-runbook.ts';

const page = readFileSync(runbookFile, 'utf8');
const sections = readRunbook();
const anchors = sections.map(({ anchor }) => anchor);
const rules = readRules();

let world: World;
beforeAll(async () => {
  // The page says that its statements are for PostgreSQL.
  world = await openWorld({ jobs: { databaseUrl: await postgresUrl() } });
});
afterAll(() => world[Symbol.asyncDispose]());

describe('the runbook', () => {
  test('has a section for each alert, in the order of the alerts, and no other', () => {
    expect(new Set(rules.map(sectionOf))).toEqual(new Set(anchors));
  });

  test('is one click away from README and docs/operations.md', () => {
    expect(readFileSync('README.md', 'utf8')).toContain('](docs/runbook.md)');
    expect(readFileSync('docs/operations.md', 'utf8')).toContain('](runbook.md)');
  });

  test.each(['README.md', 'docs/operations.md', runbookFile])(
    'is linked from %s by anchors that exist',
    (file) => {
      const text = readFileSync(file, 'utf8');
      const pattern = file === runbookFile ? /\]\(#([^)]+)\)/g : /runbook\.md#([^)]+)\)/g;
      const linked = [...text.matchAll(pattern)].map(([, anchor = '']) => anchor);

      expect(linked.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
    },
  );

  test('names operations that exist', () => {
    const { paths } = JSON.parse(readFileSync('openapi/openapi.json', 'utf8')) as {
      paths: Record<string, object>;
    };
    const named = [...page.matchAll(/`(GET|POST) (\/[^`?]+)`/g)];

    expect(named.length).toBeGreaterThan(2);
    for (const [operation, method = '', path = ''] of named) {
      expect({ operation, methods: Object.keys(paths[path] ?? {}) }).toEqual({
        operation,
        methods: expect.arrayContaining([method.toLowerCase()]),
      });
    }
  });

  test('names each log line that says why no slice starts, in two rows about an idle slot', () => {
    const { text: section = '' } = sections.find(({ anchor }) => anchor === 'slot-idle') ?? {};
    const rows = section.split('\n').filter((line) => line.includes('POLICY_DIR has no policy'));
    const causes = readLogMessages('src/auth/authorization', ['error'])
      .filter(({ text }) => text.endsWith('no slice starts'))
      .map(({ text }) => `\`${text.split(';')[0]}\``);

    expect([rows.length, causes.length]).toEqual([2, 2]);
    expect(causes.filter((cause) => !rows.every((row) => row.includes(cause)))).toEqual([]);
  });

  test('quotes log lines that the gateway writes', () => {
    const written = readLogMessages('src', ['warn', 'error', 'fatal']).map(({ text }) => text);
    const [beforeSections = ''] = page.split('## ', 1);
    const rows = [...beforeSections.matchAll(/^\| (`[^|]*`) \| [^|]*\]\(#[^|]* \|$/gm)].map(
      ([, cell = '']) => cell,
    );
    const quoted = rows.flatMap((cell) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
    );

    expect(quoted.length).toBeGreaterThan(10);
    expect(quoted.filter((text) => !written.includes(text))).toEqual([]);
  });
});

describe.each(sections.map((section) => [section.anchor, section] as const))(
  'the section %s',
  (_anchor, section) => {
    const { text, commands } = section;

    test('has its alert, its meaning, at most two commands, what to do and when to escalate', () => {
      expect(text).toMatch(/^Alerts?: `LogExport/m);
      expect(text).toMatch(/^Look:$/m);
      expect(text).toMatch(/^\| .* \| do \|$|^Fix /m);
      expect(text).toMatch(/^Escalate /m);
      expect(commands.length).toBeGreaterThanOrEqual(1);
      expect(commands.length).toBeLessThanOrEqual(2);
      expect(commands.filter((command) => command.text.includes('\n'))).toEqual([]);
    });

    test('has valid queries of metrics and labels that the gateway has', () => {
      for (const { text: query } of commands.filter(({ language }) => language === 'promql')) {
        const { error, selectors } = parsePromql(query);
        expect({ query, error }).toEqual({ query, error: undefined });
        for (const { metric, matchers } of selectors) {
          const known = labelsOf(metric);
          expect(matchers.filter(({ label }) => !known.includes(label))).toEqual([]);
        }
      }
    });

    test('has requests that the gateway answers, and statements that its database accepts', async () => {
      for (const { language, text: command } of commands) {
        if (language === 'sh') {
          const { status } = await world.call('GET', curlOf(command));
          expect({ command, status }).toEqual({
            command,
            status: 200,
          });
        }
        if (language === 'sql') await sql.raw(command).execute(world.database.queries);
      }
    });
  },
);
