import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';

import { type Exposition, readExposition } from './exposition.ts';
import { runScript, type ScriptedRun } from './scripted-run.ts';

let run: ScriptedRun;
let metrics: Exposition;
beforeAll(async () => {
  run = await runScript();
  metrics = readExposition(run.text);
});

describe('the metrics after a scripted run', () => {
  test.each<[string, Record<string, string>, number]>([
    ['log_export_slices_ended_total', { outcome: 'completed' }, 5],
    ['log_export_slices_ended_total', { outcome: 'failed' }, 1],
    ['log_export_slices_ended_total', { outcome: 'cancelled' }, 3],
    ['log_export_target_slices_ended_total', { target: 'default', outcome: 'cancelled' }, 3],
    ['log_export_task_duration_seconds_count', {}, 5],
    ['log_export_task_duration_seconds_bucket', { le: '10' }, 0],
    ['log_export_task_duration_seconds_bucket', { le: '60' }, 5],
    ['log_export_creates_without_answer_total', {}, 2],
    ['log_export_creates_reconciled_total', { result: 'created' }, 1],
    ['log_export_creates_reconciled_total', { result: 'not-created' }, 1],
    ['log_export_creates_reconciled_total', { result: 'unknown' }, 0],
    ['log_export_orphaned_tasks_total', {}, 1],
    ['log_export_deleted_jobs_total', {}, 0],
    ['log_export_slots_held', { holder: 'us' }, 1],
    ['log_export_slots_held', { holder: 'others' }, 0],
    ['log_export_target_slot_held', { target: 'default', holder: 'us' }, 1],
    ['log_export_slices', { state: 'running' }, 1],
    ['log_export_slices', { state: 'ready' }, 2],
    ['log_export_slices', { state: 'delayed' }, 1],
    ['log_export_slices', { state: 'cancelling' }, 0],
    ['log_export_target_slices', { target: 'default', state: 'ready' }, 2],
    ['log_export_targets', { state: 'ready' }, 1],
    ['log_export_target_state', { target: 'default', state: 'ready' }, 1],
    ['log_export_target_state', { target: 'default', state: 'unusable' }, 0],
    ['log_export_database_up', {}, 1],
    ['log_export_reload_failed', { file: 'keys' }, 0],
    ['log_export_audit_lines_lost_total', {}, 0],
    ['log_export_log_lines_lost_total', {}, 0],
    ['log_export_problems_total', { problem: 'no-such-route' }, 1],
    ['log_export_problems_total', { problem: 'export-task-not-found' }, 1],
    ['log_export_problems_total', { problem: 'invalid-parameter' }, 1],
    ['rpc_client_call_duration_seconds_count', { rpc_method: 'STS/GetCallerIdentity' }, 2],
    [
      'rpc_client_call_duration_seconds_count',
      {
        rpc_method: 'CloudWatchLogs/CreateExportTask',
        error_type: 'InvalidParameterException',
      },
      1,
    ],
    [
      'http_server_request_duration_seconds_count',
      {
        http_request_method: 'POST',
        http_route: '/export-tasks',
        http_response_status_code: '201',
      },
      1,
    ],
    [
      'http_server_request_duration_seconds_count',
      { http_request_method: 'GET', http_route: '', http_response_status_code: '404' },
      1,
    ],
  ])('have %s %o', (name, labels, value) => {
    expect(metrics.value(name, labels)).toBe(value);
  });

  test('have the time of a slot by holder, in seconds', () => {
    // Five tasks of ours ran for 30 s, and a sixth until its cancel. The foreign one ran for 60 s.
    const seconds = (holder: string) =>
      metrics.value('log_export_slot_held_seconds_total', { holder }) ?? 0;

    expect(seconds('us')).toBeGreaterThan(150);
    expect(seconds('others')).toBeGreaterThan(50);
    expect(seconds('others')).toBeLessThan(70);
    expect(
      metrics.value('log_export_target_slot_held_seconds_total', {
        target: 'default',
        holder: 'others',
      }),
    ).toBe(seconds('others'));
  });

  test('have hand-offs only while a slice was ready', () => {
    // Of the job with two slices, and of the last one with three whose first follows the orphan.
    expect(metrics.value('log_export_hand_off_seconds_count')).toBe(1);
    expect(metrics.value('log_export_hand_off_seconds_sum')).toBeLessThan(2);
  });

  test('have the age of the oldest ready slice, and of the figures', () => {
    expect(metrics.value('log_export_oldest_ready_slice_age_seconds')).toBeGreaterThanOrEqual(1);
    expect(metrics.value('log_export_oldest_ready_slice_age_seconds')).toBeLessThan(60);
    expect(metrics.value('log_export_database_gauges_age_seconds')).toBe(0);
  });

  test('have a sample of every metric', () => {
    const sampled = new Set(
      metrics.samples.map(({ name }) => name.replace(/_(?:bucket|sum|count)$/, '')),
    );
    const isSampled = (name: string) =>
      sampled.has(name) || sampled.has(name.replace(/_(?:bucket|sum|count)$/, ''));

    expect(metrics.names.filter((name) => !isSampled(name))).toEqual([]);
  });

  test('name no caller, log group, bucket, job or task, and an archive only in five of them', () => {
    const naming = new Set<string>();
    const ofArchive = /^(\w+)(\{.*)archive="[^"]*",archive_name="[^"]*"/gm;
    const others = run.text.replaceAll(ofArchive, (_line, name: string, labels: string) => {
      naming.add(name);
      return labels;
    });

    expect([...naming]).toEqual([
      'log_export_archive_state',
      'log_export_archive_stopped',
      'log_export_archive_partitions',
      'log_export_archive_watermark_timestamp_seconds',
      'log_export_archive_next_expiry_timestamp_seconds',
    ]);
    expect(run.secrets.length).toBeGreaterThan(15);
    expect(run.secrets.filter((secret) => others.includes(secret))).toEqual([]);
  });

  test('have at most 16 series of an archive', () => {
    const ofArchive = metrics.samples.filter(({ labels }) => labels.archive !== undefined);

    expect(ofArchive).toHaveLength(16);
  });

  test('are all in the table of docs/operations.md, with their types and labels', () => {
    const page = readFileSync('docs/operations.md', 'utf8');
    const row = /^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\| [^|]+ \|$/gm;
    const documented = [...page.matchAll(row)].map(([, name, type, labels = '']) => {
      const names = [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label]) => label);
      return `${name} ${type} ${names.toSorted()}`;
    });
    const registered = metrics.names
      .filter((name) => !/^(?:process|nodejs)_/.test(name))
      .map((name) => {
        const type = metrics.types.get(name);
        const sampleName = type === 'histogram' ? `${name}_count` : name;
        const sample = metrics.samples.find((each) => each.name === sampleName);
        return `${name} ${type} ${Object.keys(sample?.labels ?? {}).toSorted()}`;
      });

    expect(documented.toSorted()).toEqual(registered.toSorted());
  });

  test('have a description that ends as a sentence, and their unit in the name', () => {
    const own = [...metrics.help].filter(([name]) => name.startsWith('log_export_'));

    expect(own.filter(([, help]) => !/^[A-Z].*\.$/.test(help))).toEqual([]);
    const inSeconds = own.filter(([, help]) => help.includes('in seconds'));
    expect(inSeconds.filter(([name]) => !/_seconds(?:_total)?$/.test(name))).toEqual([]);
  });
});
