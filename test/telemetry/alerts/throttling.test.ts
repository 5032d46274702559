import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { errorMeanings } from '#aws/error-table.ts';
import { type Matcher, parsePromql } from './promql.ts';
import { readRules } from './read-rules.ts';

const services = ['S3', 'KMS', 'SNS', 'EventBridge'];
const dashboard = JSON.parse(readFileSync('deploy/grafana/dashboard.json', 'utf8')) as {
  panels: { title: string; targets?: { expr: string }[] }[];
};
const rule = readRules().find(({ alert }) => alert === 'LogExportAwsThrottles');
const panel = dashboard.panels.find(({ title }) => title === 'Throttled share');

function isMatching({ label, operator, value }: Matcher, labels: Record<string, string>): boolean {
  const pattern = operator.includes('~') ? value : RegExp.escape(value);
  return new RegExp(`^(?:${pattern})$`).test(labels[label] ?? '') !== operator.startsWith('!');
}

test.each([
  ['alert', rule?.expr],
  ['panel', panel?.targets?.[0]?.expr],
])('the %s counts exactly the errors that are aws-throttled in the table', (_name, expr = '') => {
  const selectors = parsePromql(expr.replaceAll('$__rate_interval', '5m'))
    .selectors.map(({ matchers }) =>
      matchers.filter(({ label }) => label === 'error_type' || label === 'rpc_method'),
    )
    .filter((matchers) => matchers.some(({ label }) => label === 'error_type'));
  const counted: string[] = [];
  const throttled: string[] = [];
  for (const { code, problems } of errorMeanings) {
    for (const [call, slug] of Object.entries(problems)) {
      const rpcMethod = services.includes(call) ? `${call}/Any` : `CloudWatchLogs/${call}`;
      const labels = { error_type: code, rpc_method: rpcMethod };
      const isCounted = selectors.some((matchers) =>
        matchers.every((matcher) => isMatching(matcher, labels)),
      );
      if (isCounted) counted.push(`${code} of ${call}`);
      if (slug === 'aws-throttled') throttled.push(`${code} of ${call}`);
    }
  }

  expect(throttled.length).toBeGreaterThan(10);
  expect(counted).toEqual(throttled);
});
