import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { obstaclesIn } from '../../house/plain-english.ts';
import { readRoutes } from '../../validation/read-routes.ts';
import { labelsOf } from './known-metrics.ts';
import { makeValueCheck } from './label-values.ts';
import { parsePromql } from './promql.ts';

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { refId: string; expr: string; legendFormat: string; datasource: { uid: string } }[];
  fieldConfig?: { defaults: { unit: string; thresholds: { steps: { value: number | null }[] } } };
}

interface Variable {
  name: string;
  type: string;
  definition?: string;
  includeAll?: boolean;
  multi?: boolean;
  allValue?: string;
}

const dashboard = JSON.parse(readFileSync('deploy/grafana/dashboard.json', 'utf8')) as {
  uid: string;
  title: string;
  schemaVersion: number;
  templating: { list: Variable[] };
  annotations: { list: { expr: string }[] };
  panels: Panel[];
};
const { panels } = dashboard;
const graphs = panels.filter(({ type }) => type !== 'row');
const variables = dashboard.templating.list;

// The units of Grafana that the dashboard uses: https://github.com/grafana/grafana, packages/grafana-data, valueFormats.
const units = ['none', 's', 'bytes', 'percentunit', 'reqps', 'ops'];
// Labels that Prometheus adds to each series of a scrape.
const scrapeLabels = ['namespace', 'job', 'instance'];

/** An expression as Grafana sends it. */
function fillIn(expression: string): string {
  return expression.replaceAll(/\$__(?:rate_interval|range)\b/g, '5m').replaceAll(/\$\w+/g, '.*');
}

describe('the dashboard', () => {
  test('has a data source, an installation, a process and a target to choose', () => {
    expect(variables.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'datasource: datasource',
      'namespace: query',
      'job: query',
      'instance: query',
      'target: query',
    ]);
    for (const { definition } of variables.slice(1)) {
      const [, metric = '', label = ''] =
        /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(definition ?? '') ?? [];
      expect([...labelsOf(metric), ...scrapeLabels]).toContain(label);
    }
  });

  test('shows one installation, because its panels combine the replicas of one', () => {
    const ofInstallation = variables.filter(({ name }) => ['namespace', 'job'].includes(name));

    expect(ofInstallation.map(({ multi, includeAll }) => [multi, includeAll])).toEqual([
      [false, false],
      [false, false],
    ]);
  });

  test('shows no other services: all processes are those with metrics of the gateway', () => {
    const processes = variables.find(({ name }) => name === 'instance');

    expect(processes).toMatchObject({ includeAll: true });
    expect(processes).not.toHaveProperty('allValue');
  });

  test('has panels with ids of their own that do not overlap and lie within 24 columns', () => {
    const cells = new Map<string, string>();
    const overlaps: string[] = [];
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column += 1)
        for (let line = y; line < y + h; line += 1) {
          const other = cells.get(`${column}/${line}`);
          if (other !== undefined) overlaps.push(`${title} and ${other}`);
          cells.set(`${column}/${line}`, title);
        }
    }

    expect(overlaps).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  });

  test('has rows without gaps', () => {
    const lines = new Set(
      panels.flatMap(({ gridPos: { y, h } }) => Array.from({ length: h }, (_, line) => y + line)),
    );

    expect([...lines].sort((one, other) => one - other)).toEqual(
      [...lines.keys()].map((_, index) => index),
    );
  });

  test('reads only the variables that it has', () => {
    const known = [...variables.map(({ name }) => name), '__rate_interval', '__range'];
    const used = JSON.stringify(panels).matchAll(/\$\{?(\w+)/g);

    expect(
      [...new Set([...used].map(([, name]) => name))].filter((name) => !known.includes(name ?? '')),
    ).toEqual([]);
  });

  test('marks when alerts of the chosen installation fired, and those about none', () => {
    const [parsed, ...others] = dashboard.annotations.list.map(({ expr }) => parsePromql(expr));

    expect(others).toEqual([]);
    expect(parsed?.error).toBeUndefined();
    expect(parsed?.selectors[0]?.matchers).toEqual(
      expect.arrayContaining([
        { label: 'namespace', operator: '=~', value: '$namespace|' },
        { label: 'job', operator: '=~', value: '$job|' },
      ]),
    );
  });

  test('leaves exactly the routes that wait for changes out of its latency', async () => {
    const routes = await readRoutes();
    const waiting = routes.filter(({ config }) => config?.isWaiting).map(({ url }) => url);
    const { targets = [] } = panels.find(({ title }) => title === 'Latency') ?? {};

    expect(waiting.length).toBeGreaterThan(3);
    expect(targets).toHaveLength(3);
    for (const { expr } of targets) {
      const [{ matchers = [] } = {}] = parsePromql(fillIn(expr)).selectors;
      const { value, operator } = matchers.find(({ label }) => label === 'http_route') ?? {};
      const urls = routes.map(({ url }) => url);
      const excluded = urls.filter((url) => new RegExp(`^(?:${value})$`).test(url));
      expect(operator).toBe('!~');
      expect(new Set(excluded)).toEqual(new Set(waiting));
    }
  });
});

describe.each(graphs.map((panel) => [panel.title, panel] as const))(
  'the panel %s',
  (_name, panel) => {
    test('has valid expressions of metrics, labels and values that the gateway has', async () => {
      const unknownValues = await makeValueCheck();
      const { targets = [] } = panel;

      expect(targets.length).toBeGreaterThan(0);
      for (const { expr } of targets) {
        const { error, selectors, groupings } = parsePromql(fillIn(expr));
        expect({ expr, error }).toEqual({ expr, error: undefined });
        const known = selectors.flatMap(({ metric }) => labelsOf(metric));
        for (const { metric, matchers } of selectors) {
          const labels = matchers.map(({ label }) => label);
          expect(matchers.flatMap((matcher) => unknownValues(metric, matcher))).toEqual([]);
          const own = [...labelsOf(metric), ...scrapeLabels];
          expect({ metric, unknown: labels.filter((label) => !own.includes(label)) }).toEqual({
            metric,
            unknown: [],
          });
          expect(labels).toEqual(expect.arrayContaining(scrapeLabels));
        }
        expect(groupings.filter((label) => !known.includes(label))).toEqual([]);
      }
    });

    test('names in its legends only labels that its series keep', () => {
      for (const { expr, legendFormat } of panel.targets ?? []) {
        const { selectors, groupings } = parsePromql(fillIn(expr));
        const isGrouped = / by \(/.test(expr);
        const kept = isGrouped
          ? groupings
          : [...selectors.flatMap(({ metric }) => labelsOf(metric)), ...scrapeLabels];
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);

        expect(named.filter((label) => !kept.includes(label))).toEqual([]);
      }
    });

    test('has a unit, ascending thresholds, the chosen data source and references of its own', () => {
      const { targets = [], fieldConfig, datasource } = panel;
      const steps = fieldConfig?.defaults.thresholds.steps.map(({ value }) => value) ?? [];

      expect(units).toContain(fieldConfig?.defaults.unit);
      expect(steps[0]).toBeNull();
      expect(steps.slice(1)).toEqual(
        steps.slice(1).sort((one, other) => Number(one) - Number(other)),
      );
      expect([datasource?.uid, ...targets.map((target) => target.datasource.uid)]).toEqual(
        Array(targets.length + 1).fill(`$\{datasource}`),
      );
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    });

    test('is described in plain English', () => {
      expect(panel.description).toMatch(/\.$/);
      expect(obstaclesIn(`${panel.title}\n${panel.description}`)).toEqual([]);
    });
  },
);
