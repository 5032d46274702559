import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { labelsOf } from './known-metrics.ts';
import { makeValueCheck } from './label-values.ts';
import { parsePromql } from './promql.ts';
import { readRules, rulesFile, sectionOf } from './read-rules.ts';
import { readRunbook } from './read-runbook.ts';
import { promtool, skipWithoutPromtool } from './recording.ts';

const rules = readRules();
const unitTests = ['rules.test.yaml', 'rules-over-days.test.yaml'].map(
  (name) => `deploy/prometheus/${name}`,
);

interface UnitTests {
  tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[];
}

// Labels that Prometheus adds to each series of a scrape.
const scrapeLabels = ['namespace', 'job', 'instance'];

describe('the parser of expressions', () => {
  test('finds metrics, labels and mistakes', () => {
    const good = parsePromql('sum by (b) (rate(x_total{a=~"1|2",c!="3"}[5m])) > on (d) y');
    const bad = ['sum by (b (x)', 'rate(x[5m)', 'x{a=}', 'nosuchfunction(x)', 'x > '];

    expect(good).toEqual({
      error: undefined,
      selectors: [
        {
          metric: 'x_total',
          matchers: [
            { label: 'a', operator: '=~', value: '1|2' },
            { label: 'c', operator: '!=', value: '3' },
          ],
        },
        { metric: 'y', matchers: [] },
      ],
      groupings: ['b', 'd'],
    });
    expect(bad.filter((text) => parsePromql(text).error === undefined)).toEqual([]);
  });
});

test.each(['nodejs_gc_duration_seconds', 'log_export_unknown_total'])(
  'no rule can read %s, which the gateway does not have',
  (metric) => {
    expect(() => labelsOf(metric)).toThrow(`The gateway has no metric ${metric}`);
    expect(labelsOf('process_cpu_seconds_total')).toEqual([]);
  },
);

describe.each(rules.map((rule) => [rule.alert, rule] as const))('the alert %s', (_name, rule) => {
  const { error, selectors, groupings } = parsePromql(rule.expr);

  test('has a valid expression of metrics and labels that the gateway has', () => {
    expect(error).toBeUndefined();
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, matchers } of selectors) {
      const labels = matchers.map(({ label }) => label);
      const known = [...labelsOf(metric), ...scrapeLabels];
      expect({ metric, unknown: labels.filter((label) => !known.includes(label)) }).toEqual({
        metric,
        unknown: [],
      });
    }
    const allKnown = [...selectors.flatMap(({ metric }) => labelsOf(metric)), ...scrapeLabels];
    expect(groupings.filter((label) => !allKnown.includes(label))).toEqual([]);
  });

  test('reads metrics with common names only of processes that are gateways', () => {
    const isCommon = selectors.some(({ metric }) => !metric.startsWith('log_export_'));

    if (isCommon)
      expect(rule.expr).toMatch(/and on \(namespace, job, instance\) [^)]*log_export_targets\b/);
  });

  test('compares no clock of a gateway with that of Prometheus', () => {
    expect(rule.expr).not.toContain('time()');
  });

  test('compares labels with values that they have', async () => {
    const unknownValues = await makeValueCheck();

    for (const { metric, matchers } of selectors)
      expect(matchers.flatMap((matcher) => unknownValues(metric, matcher))).toEqual([]);
  });

  test('reads figures of the database that each replica has as one', () => {
    const isSummed =
      /sum by [^)]*\) \(log_export_(?:(?:target|archive)_)?(?:slots?_held|slices|state|targets|archives|partitions)\b/;

    expect(rule.expr).not.toMatch(isSummed);
  });

  test('has a severity, and annotations that name its labels', () => {
    const { summary, description } = rule.annotations;
    const named = [...description.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);

    expect(['critical', 'warning']).toContain(rule.labels.severity);
    expect(summary).toMatch(/^[A-Z][^.]*$/);
    // `up` has all labels of its series.
    const grouped = rule.alert === 'LogExportNotScraped' ? ['instance'] : groupings;
    expect(named.filter((label) => !grouped.includes(label))).toEqual([]);
  });

  test('links to a section of the runbook that names it', () => {
    const section = readRunbook().find(({ anchor }) => anchor === sectionOf(rule));

    expect(section?.text).toContain(`\`${rule.alert}\``);
  });

  test('has a unit test in which it fires and one in which it does not', () => {
    const cases = unitTests
      .flatMap((file) => (parse(readFileSync(file, 'utf8')) as UnitTests).tests)
      .flatMap(({ alert_rule_test }) => alert_rule_test)
      .filter(({ alertname }) => alertname === rule.alert);

    expect(new Set(cases.map(({ exp_alerts }) => exp_alerts.length > 0))).toEqual(
      new Set([true, false]),
    );
  });
});

test('promtool accepts the rules, and their unit tests pass', ({ skip }) => {
  skipWithoutPromtool(skip);

  expect(promtool('check', 'rules', rulesFile)).toContain(`SUCCESS: ${rules.length} rules found`);
  expect(promtool('test', 'rules', ...unitTests)).toContain('SUCCESS');
});
