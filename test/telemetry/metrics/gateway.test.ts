import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { readConfig } from '#config/read-config.ts';
import { type Gateway, openGateway } from '#open-gateway.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { openTcpProxy } from '../../chaos/tcp-proxy.ts';
import { temporaryDir } from '../../database/homes.ts';
import { jobBody } from '../../export-jobs/accepted-jobs.ts';
import { postgresUrl } from '../../postgres-databases.ts';
import { readIdleLoop } from '../../read-idle-loop.ts';
import { createBody, openWorld, region } from '../../world.ts';
import { type Exposition, readExposition } from './exposition.ts';

readIdleLoop();

/** Opens the gateway like main, with metrics on a free port and the emulator of a world. */
async function openMeasured(env: NodeJS.ProcessEnv = {}, targetsFile = '') {
  const given = {
    ...(targetsFile === '' && { AWS_REGION: region }),
    PORT: '0',
    METRICS_PORT: '0',
    DATA_DIR: temporaryDir(),
    AUDIT_LOG: join(temporaryDir(), 'audit.jsonl'),
    ...env,
  };
  const gateway = await openGateway({
    config: readConfig(given, () => targetsFile),
    log: makeLogger('silent', { write() {} }),
    lameDuckMs: 0,
  });
  return { ...gateway, [Symbol.asyncDispose]: gateway.close };
}

async function scrape({ metricsUrl = '' }: Gateway): Promise<Exposition & { text: string }> {
  const text = await (await fetch(metricsUrl)).text();
  return { ...readExposition(text), text };
}

/** Scrapes until a sample has a value. */
const untilValue = (
  gateway: Gateway,
  name: string,
  labels: Record<string, string>,
  value: number,
) => expect.poll(async () => (await scrape(gateway)).value(name, labels)).toBe(value);

describe('the metrics of a gateway', () => {
  test('count what it does, without names of callers, log groups, buckets or jobs', async () => {
    await using world = await openWorld({ emulator: { pendingMs: 0, runningMs: 10 } });
    const { emulator } = world;
    emulator.seed.logGroup({ region, logGroupName: '/canary-group' });
    emulator.seed.bucket({ region, bucket: 'canary-bucket' });
    const folder = temporaryDir();
    const write = (name: string, content: string) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const targets = JSON.stringify([{ name: 'main', region }]);
    const sha256 = createHash('sha256').update('canary-key').digest('hex');
    await using gateway = await openMeasured(
      {
        AUTH: 'api-key',
        API_KEYS_FILE: write('keys.json', JSON.stringify([{ name: 'canary-caller', sha256 }])),
        TARGETS_FILE: write('targets.json', targets),
        POLICY_DIR: temporaryDirWith('all.cedar', 'permit(principal, action, resource);'),
      },
      targets,
    );
    await gateway.ready;
    const call = (method: string, path: string, body?: object) =>
      fetch(gateway.url + path, {
        method,
        headers: { 'x-api-key': 'canary-key', 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
    const job = {
      ...jobBody,
      name: 'canary-name',
      logGroupNames: ['/canary-group'],
      destination: 'canary-bucket',
    };

    await call('POST', '/export-tasks', { ...createBody, taskName: 'canary-task' });
    await call('GET', '/export-tasks?target=canary-target');
    await call('PROPFIND', '/canary-path');
    await fetch(`${gateway.url}/export-jobs`, { headers: { 'x-api-key': 'canary-wrong' } });
    const failing = await call('POST', '/export-jobs', { ...job, logGroupNames: ['/canary-none'] });
    await untilValue(gateway, 'log_export_slices_ended_total', { outcome: 'failed' }, 3);
    const order = { logGroupName: '/canary-other' };
    const taskId = emulator.seed.foreignTask({ region, durationMs: 3_600_000, order });
    const created = await call('POST', '/export-jobs', job);
    await untilValue(gateway, 'log_export_slots_held', { holder: 'others' }, 1);
    emulator.faults.add({ kind: 'reset-after', operation: 'CreateExportTask' });
    emulator.seed.taskFailure({ taskId });
    await untilValue(gateway, 'log_export_slices_ended_total', { outcome: 'completed' }, 3);
    write('targets.json', '{ "canary": "not a list" }');
    gateway.reload();
    await untilValue(gateway, 'log_export_reload_failed', { file: 'targets' }, 1);

    const { text, value } = await scrape(gateway);
    write('targets.json', targets);
    gateway.reload();
    await untilValue(gateway, 'log_export_reload_failed', { file: 'targets' }, 0);
    const ids = [failing, created].map((answer) => answer.headers.get('location')?.split('/')[2]);
    const tasks = emulator.exportTasks().map(({ taskId }) => taskId);

    expect([failing.status, created.status]).toEqual([202, 202]);
    expect(value('log_export_creates_without_answer_total')).toBe(1);
    expect(value('log_export_creates_reconciled_total', { result: 'created' })).toBe(1);
    expect(value('log_export_hand_off_seconds_count')).toBeGreaterThan(0);
    expect(value('log_export_slot_held_seconds_total', { holder: 'others' })).toBeGreaterThan(0);
    expect(value('log_export_target_slot_held', { target: 'main', holder: 'us' })).toBe(0);
    expect(value('log_export_reload_failures_total', { file: 'targets' })).toBe(1);
    expect(value('log_export_problems_total', { problem: 'log-group-not-found' })).toBe(1);
    expect(value('log_export_problems_total', { problem: 'unauthenticated' })).toBe(1);
    expect(value('log_export_database_query_duration_seconds_count')).toBeGreaterThan(10);
    expect(
      value('http_server_request_duration_seconds_count', {
        http_request_method: 'POST',
        http_route: '/export-jobs',
        http_response_status_code: '202',
      }),
    ).toBe(2);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(value('nodejs_eventloop_lag_p99_seconds')).toBeDefined();
    expect(ids.concat(tasks).every((id) => typeof id === 'string' && id.length > 8)).toBe(true);
    expect(
      ['canary', 'PROPFIND', ...ids, ...tasks].filter((word) => text.includes(word ?? '')),
    ).toEqual([]);
  });

  test('say that the database is away', async () => {
    await using _world = await openWorld();
    const url = new URL(await postgresUrl());
    const proxy = await openTcpProxy(Number(url.port));
    const DATABASE_URL = Object.assign(url, { port: String(proxy.port) }).href;
    await using gateway = await openMeasured({ DATABASE_URL });
    await gateway.ready;
    await untilValue(gateway, 'log_export_database_up', {}, 1);

    await proxy[Symbol.asyncDispose]();

    await untilValue(gateway, 'log_export_database_up', {}, 0);
  });

  test('are those of the process and of requests when export jobs are off', async () => {
    await using _world = await openWorld();
    await using gateway = await openMeasured({ EXPORT_JOBS: 'off' });
    await gateway.ready;

    const { names, value } = await scrape(gateway);

    expect(names).not.toContain('log_export_database_up');
    expect(names).not.toContain('log_export_slices');
    expect(value('log_export_targets', { state: 'ready' })).toBe(1);
    expect(value('log_export_creates_without_answer_total')).toBe(0);
  });

  test('are not served without METRICS_PORT', async () => {
    await using _world = await openWorld();
    await using gateway = await openMeasured({ METRICS_PORT: '' });

    expect(gateway.metricsUrl).toBeUndefined();
  });

  test('are served until the gateway is closed', async () => {
    await using _world = await openWorld();
    const gateway = await openMeasured();
    const { status } = await fetch(gateway.metricsUrl ?? '');

    await gateway.close();

    expect(status).toBe(200);
    await expect(fetch(gateway.metricsUrl ?? '')).rejects.toThrow('fetch failed');
  });

  test('end the start when their port is taken', async () => {
    await using world = await openWorld();

    await expect(openMeasured({ METRICS_PORT: String(world.port) })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `METRICS_PORT is ${world.port}, but another process already listens on it at 127.0.0.1; choose another port.`,
    });
  });
});

function temporaryDirWith(name: string, content: string): string {
  const folder = temporaryDir();
  writeFileSync(join(folder, name), content);
  return folder;
}
