import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'vitest';

import { readExposition } from '../metrics/exposition.ts';
import { rulesFile } from './read-rules.ts';

const isPromtoolInstalled = spawnSync('promtool', ['--version']).status === 0;

/** Skips the rest of a test without promtool, unless the environment requires it. The report of the tests shows it. */
export function skipWithoutPromtool(skip: TestContext['skip']): void {
  const isRequired = process.env.REQUIRE_PROMTOOL === '1';
  skip(
    !isPromtoolInstalled && !isRequired,
    'promtool of the Debian package prometheus is not installed',
  );
}

/** Runs promtool and returns its output. Throws if it fails, with what it says on stderr. */
export const promtool = (...parts: string[]) =>
  execFileSync('promtool', parts, { encoding: 'utf8', stdio: 'pipe' });

/** What Prometheus has of one gateway: a scrape for each minute. */
export interface Recording {
  /** Adds the text of a scrape, once for each of some minutes. */
  add(text: string, minutes?: number): void;
  /** Throws unless an alert fires at the last minute. Prometheus itself evaluates the rules. */
  expectFiring(alert: string): void;
}

// Prometheus gives them to each series of a scrape.
const scrapeLabels = { job: 'log-export-gateway', instance: 'one:9464' };

/** Makes an empty recording. */
export function makeRecording(): Recording {
  const series = new Map<string, string[]>();
  let minutes = 0;
  return {
    add(text, times = 1) {
      for (let minute = 0; minute < times; minute += 1) {
        for (const { name, labels, value } of readExposition(text).samples) {
          if (!/^log_export_|^rpc_client_.*_count$/.test(name)) continue;
          const pairs = Object.entries({ ...labels, ...scrapeLabels });
          const key = `${name}{${pairs.map(([label, of]) => `${label}="${of}"`)}}`;
          const values = series.get(key) ?? Array(minutes).fill('_');
          values.push(String(value));
          series.set(key, values);
        }
        minutes += 1;
      }
    },
    expectFiring(alert) {
      const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"}) > bool 0`;
      const firing = {
        expr,
        eval_time: `${minutes - 1}m`,
        exp_samples: [{ labels: '{}', value: 1 }],
      };
      const input = [...series].map(([key, values]) => ({ series: key, values: values.join(' ') }));
      const folder = mkdtempSync(join(tmpdir(), 'log-export-gateway-alerts-'));
      const file = join(folder, 'test.json');
      const tests = [{ interval: '1m', input_series: input, promql_expr_test: [firing] }];
      writeFileSync(
        file,
        JSON.stringify({ rule_files: [resolve(rulesFile)], evaluation_interval: '1m', tests }),
      );
      try {
        promtool('test', 'rules', file);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}
