import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { makeAudit } from '#audit/audit.ts';
import { readConfig } from '#config/read-config.ts';
import { readOpenSlices } from '#export-jobs/queue/read-open-slices.ts';
import { openGateway } from '#open-gateway.ts';
import { findProblemKind } from '#problems/catalogue.ts';
import { openTargets } from '#targets/open-targets.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { makeTime } from '../../auth/time.ts';
import { longTimeouts } from '../../aws-timeouts.ts';
import { openTcpProxy } from '../../chaos/tcp-proxy.ts';
import { temporaryDir } from '../../database/homes.ts';
import { openQueue, type Queue } from '../../export-jobs/open-queue.ts';
import { postgresUrl } from '../../postgres-databases.ts';
import { readIdleLoop } from '../../read-idle-loop.ts';
import { type LogLine, openWorld, region } from '../../world.ts';
import { readExposition } from '../metrics/exposition.ts';
import { followRunbook, type Get, openNightGateway, visit } from './night-gateway.ts';
import { readRules, sectionOf } from './read-rules.ts';
import { sectionsOfLine } from './read-runbook.ts';
import { makeRecording, skipWithoutPromtool } from './recording.ts';

// What wakes an operator at three in the morning: the alert fires, a log line has the target, the problem and
// the begin, and both lead to the same section of the runbook. Its request and the pages name the problem.

readIdleLoop();

const name = 'payments';
// Fewer steps than in production.
const timings = { idleMs: 30_000, secondMs: 10_000, leaseMs: 300_000 };

/** A queue in virtual time that is scraped once a minute. At its end somebody looks, who is woken by an alert. */
async function openNight(alert: string, minutesOf: (queue: Queue) => Promise<number>) {
  await using queue = await openQueue({ targets: [{ name, region }], timings, random: () => 0 });
  let reading: Promise<unknown> = Promise.resolve();
  using metrics = openMetrics({
    targets: () => queue.targets.list(),
    elapsed: queue.time.now,
    jobs: {
      read: () => {
        const rows = readOpenSlices(queue.database, 1);
        reading = rows;
        return rows;
      },
      isDatabaseReady: () => true,
      sleep: async () => {},
    },
  });
  const recording = makeRecording();
  let text = '';
  const minutes = await minutesOf(queue);
  for (let minute = 0; minute < minutes; minute += 1) {
    await queue.time.runFor(60_000);
    await metrics.render();
    await new Promise(setImmediate);
    await reading;
    text = await metrics.render();
    recording.add(text);
  }
  await using get = await openNightGateway(queue);
  const { id } = await queue.database.queries
    .selectFrom('jobs')
    .select('id')
    .executeTakeFirstOrThrow();
  return {
    recording,
    log: queue.log,
    metrics: readExposition(text),
    answer: await followRunbook(get, alert, name),
    targetPage: (await visit(get, `/ui/targets/${name}`)).text,
    jobPage: (await visit(get, `/ui/jobs/${id}`)).text,
  };
}

/** Opens the gateway like main, in front of the emulator of a world. */
async function openMeasured(env: NodeJS.ProcessEnv, targetsFile: string) {
  const log: LogLine[] = [];
  const gateway = await openGateway({
    config: readConfig(
      {
        PORT: '0',
        METRICS_PORT: '0',
        DATA_DIR: temporaryDir(),
        AUDIT_LOG: join(temporaryDir(), 'audit.jsonl'),
        ...env,
      },
      () => targetsFile,
    ),
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
    lameDuckMs: 0,
  });
  await gateway.ready;
  const scrape = async () => (await fetch(`${gateway.metricsUrl}`)).text();
  const get: Get = async (path, accept = '*/*') => {
    const answer = await fetch(gateway.url + path, { headers: { accept } });
    return { status: answer.status, text: await answer.text() };
  };
  return { ...gateway, log, scrape, get, [Symbol.asyncDispose]: gateway.close };
}

/** Expects the same section of the runbook behind an alert and a log line, and what the line says. */
function expectAnswers(line: LogLine | undefined, alert: string, problem: string): void {
  const rule = readRules().find((each) => each.alert === alert);
  const section = rule && sectionOf(rule);
  expect(line).toMatchObject({ problem, since: expect.stringMatching(/^20\d\d-.*Z$/) });
  expect(findProblemKind(problem)).toBeDefined();
  expect(sectionsOfLine(String(line?.text ?? line?.msg))).toContain(section);
}

/** The link of a problem on a page, below which is its remedy. */
const linkOf = (problem: string) => `href="/problems/${problem}"`;

test('AWS is away: the alert fires; log, runbook and pages say so', async ({ skip }) => {
  const night = await openNight('LogExportAwsAway', async ({ emulator, put }) => {
    const fault = { kind: 'error', code: 'ServiceUnavailableException', status: 503 } as const;
    const always = { headers: { date: 'unknown' }, count: 100_000 };
    emulator.faults.add({ operation: 'CreateExportTask', ...fault, ...always });
    emulator.faults.add({ operation: 'DescribeExportTasks', ...fault, ...always });
    await put({ target: name, slices: 2 });
    return 15;
  });

  const { recording, log, metrics } = night;
  const describes = { rpc_method: 'CloudWatchLogs/DescribeExportTasks' };
  const failed = { ...describes, error_type: 'ServiceUnavailableException' };
  const calls = 'rpc_client_call_duration_seconds_count';
  expect(metrics.value(calls, failed)).toBeGreaterThan(5);
  expect(metrics.value(calls, { ...describes, error_type: '' })).toBeUndefined();
  const line = log.find(({ text }) => text === 'target worker failed, retrying');
  expect(line).toMatchObject({ target: name });
  expectAnswers(line, 'LogExportAwsAway', 'aws-unavailable');
  expect(night.answer).toMatch(/^503 .*"\/problems\/aws-unavailable"/);
  expect(night.targetPage).toContain(linkOf('aws-unavailable'));
  expect(night.jobPage).toContain(linkOf('aws-unavailable'));
  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportAwsAway');
  expect(() => recording.expectFiring('LogExportDatabaseAway')).toThrow();
});

test('AWS refuses creates: the alert fires; log, runbook and pages say so', async ({ skip }) => {
  const night = await openNight('LogExportSlotIdle', async ({ emulator, put }) => {
    const fault = { kind: 'error', code: 'ThrottlingException', status: 400 } as const;
    const always = { headers: { date: 'unknown' }, count: 100_000 };
    emulator.faults.add({ operation: 'CreateExportTask', ...fault, ...always });
    await put({ target: name });
    return 15;
  });

  const { recording, log, answer, targetPage, jobPage } = night;
  const line = log.find(({ text }) => text === 'AWS refused a create, retrying');
  expect(line).toMatchObject({ target: name });
  expectAnswers(line, 'LogExportAwsThrottles', 'aws-throttled');
  expect(answer).toMatch(/^200 .*"queue":\{.*"\/problems\/aws-throttled"/);
  for (const page of [targetPage, jobPage]) {
    expect(page).toContain(linkOf('aws-throttled'));
    expect(page).toMatch(/, since <time datetime="2024-05-01T00:/);
  }
  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportSlotIdle');
});

test('another tool holds the slot: the alert fires; log, runbook and pages say so', async ({
  skip,
}) => {
  const night = await openNight('LogExportSlotHeldByOthers', async ({ emulator, put }) => {
    emulator.seed.foreignTask({ region, durationMs: 2 * 3_600_000 });
    await put({ target: name });
    return 64;
  });

  const { recording, log, metrics } = night;
  const held = { target: name, holder: 'others' };
  expect(metrics.value('log_export_target_slot_held', held)).toBe(1);
  expect(metrics.value('log_export_target_slices', { target: name, state: 'ready' })).toBe(1);
  const text = 'slot held by a task that no job created, waiting';
  const line = log.find((each) => each.text === text && each.level === 'error');
  expect(line).toMatchObject({ target: name, taskId: expect.any(String) });
  expectAnswers(line, 'LogExportSlotHeldByOthers', 'export-slot-taken');
  expect(night.answer).toContain(`"taskId":"${line?.taskId}"`);
  expect(night.targetPage).toContain('A task that no export job has created holds the slot');
  expect(night.targetPage).toContain(String(line?.taskId));
  expect(night.jobPage).toContain(linkOf('export-slot-taken'));
  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportSlotHeldByOthers');
});

test('a job fails: the alert fires; log, runbook and pages say so', async ({ skip }) => {
  let jobId = '';
  const night = await openNight('LogExportSlicesFailed', async ({ put }) => {
    jobId = await put({ target: name, slices: 3, logGroupName: '/missing' });
    return 5;
  });

  const { recording, log, metrics } = night;
  const failed = { target: name, outcome: 'failed' };
  expect(metrics.value('log_export_target_slices_ended_total', failed)).toBe(3);
  const line = log.find(({ text }) => text === 'slice failed');
  expect(line).toMatchObject({ target: name, jobId });
  expectAnswers(line, 'LogExportSlicesFailed', 'log-group-not-found');
  expect(night.answer).toMatch(new RegExp(`^200 .*"${jobId}".*"/problems/log-group-not-found"`));
  expect(night.jobPage).toContain(linkOf('log-group-not-found'));
  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportSlicesFailed');
});

test('S3 is away: the alert fires; log and runbook say so', async ({ skip }) => {
  let jobId = '';
  const night = await openNight('LogExportVerificationsLate', async ({ emulator, put, time }) => {
    const fault = { kind: 'error', code: 'ServiceUnavailable', status: 503 } as const;
    const always = { headers: { date: 'unknown' }, count: 100_000 };
    emulator.faults.add({ operation: 'ListObjectsV2', ...fault, ...always });
    jobId = await put({ target: name, verification: 'objects' });
    await time.runFor(2 * 3_600_000);
    return 8;
  });

  const { recording, log, metrics } = night;
  expect(metrics.value('log_export_target_slices', { target: name, state: 'verifying' })).toBe(1);
  expect(metrics.value('log_export_oldest_verification_age_seconds')).toBeGreaterThan(7_200);
  const line = log.find(({ text }) => text === 'failed to verify an export, retrying');
  expect(line).toMatchObject({ target: name, jobId });
  expectAnswers(line, 'LogExportVerificationsLate', 'aws-unavailable');
  expect(night.answer).toMatch(new RegExp(`^200 .*"${jobId}".*"verifying":1`));
  expect(night.jobPage).toContain(linkOf('aws-unavailable'));
  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportVerificationsLate');
});

test('a role is revoked: the alert fires; log, runbook and pages say so', async ({ skip }) => {
  const roleArn = 'arn:aws:iam::111122223333:role/log-export';
  await using world = await openWorld();
  const { emulator } = world;
  const settings = JSON.stringify([
    { name: 'main', region },
    { name, region, roleArn },
  ]);
  const file = join(temporaryDir(), 'targets.json');
  writeFileSync(file, settings);
  await using gateway = await openMeasured({ TARGETS_FILE: file, EXPORT_JOBS: 'off' }, settings);
  const isUnusable = async () => {
    await fetch(`${gateway.url}/export-tasks?target=${name}`);
    return readExposition(await gateway.scrape()).value('log_export_target_state', {
      target: name,
      state: 'unusable',
    });
  };

  const before = await isUnusable();
  emulator.options.change({ roles: { [roleArn]: { refuses: true } } });
  emulator.clock.advance(16 * 60_000); // its session has ended
  await expect.poll(isUnusable).toBe(1);

  expect(before).toBe(0);
  const recording = makeRecording();
  recording.add(await gateway.scrape(), 15);
  const line = gateway.log.find(({ msg }) => msg === 'target unusable, checking it again');
  expect(line).toMatchObject({ target: name, help: '/problems/service-role-unusable' });
  expect(JSON.stringify(line)).not.toContain('"stack"');
  expectAnswers(line, 'LogExportTargetUnusable', 'service-role-unusable');
  expectAnswers(line, 'LogExportRoleUnusable', 'service-role-unusable');
  for (const alert of ['LogExportTargetUnusable', 'LogExportRoleUnusable']) {
    const answer = await followRunbook(gateway.get, alert, name);
    expect(answer).toMatch(new RegExp(`"name":"${name}".*"/problems/service-role-unusable"`));
  }
  const page = await visit(gateway.get, `/ui/targets/${name}`);
  expect(page.text).toContain(linkOf('service-role-unusable'));
  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportTargetUnusable');
});

test('both alerts of a revoked role fire while it is checked again', async ({ skip }) => {
  const roleArn = 'arn:aws:iam::111122223333:role/log-export';
  await using world = await openWorld();
  const { emulator } = world;
  const time = makeTime(0);
  await using targets = openTargets({
    settings: [
      { name: 'main', region },
      { name, region, roleArn },
    ],
    isSessionScoped: false,
    isSlotExclusive: false,
    random: () => 1,
    audit: makeAudit({ write() {} }),
    timeouts: longTimeouts,
    callsPerSecond: 0,
    sessionName: 'test',
    now: time.now,
    elapsed: time.elapsed,
    sleep: time.sleep,
    log: makeLogger('silent', { write() {} }),
  });
  using metrics = openMetrics({ targets: targets.list, elapsed: time.elapsed });
  const recording = makeRecording();
  const scrape = async () => readExposition(await metrics.render());
  const countRefusals = async () =>
    (await scrape()).value('rpc_client_call_duration_seconds_count', {
      rpc_method: 'STS/AssumeRole',
      error_type: 'AccessDenied',
    }) ?? 0;
  const isIn = async (state: string) =>
    (await scrape()).value('log_export_target_state', { target: name, state }) === 1;
  // In small steps: a check sleeps again after it has woken.
  const passUntil = (condition: () => Promise<boolean>) =>
    expect
      .poll(
        async () => {
          await time.advance(100);
          return condition();
        },
        { interval: 5 },
      )
      .toBe(true);
  await passUntil(() => isIn('ready'));

  emulator.options.change({ roles: { [roleArn]: { refuses: true } } });
  emulator.clock.advance(16 * 60_000); // its session has ended
  const describe = async () => targets.find(name).logs.describeExportTasks({ limit: 1 });
  await passUntil(async () => {
    await describe().catch(() => {}); // AWS refuses the session, and STS another one
    return isIn('unusable');
  });
  for (let minute = 0; minute < 15; minute += 1) {
    const refusals = await countRefusals();
    await time.advance(59_000);
    await passUntil(async () => (await countRefusals()) > refusals);
    recording.add(await metrics.render());
  }

  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportTargetUnusable');
  recording.expectFiring('LogExportRoleUnusable');
});

test('the database is away: the alert fires; log, runbook and pages say so', async ({ skip }) => {
  await using _world = await openWorld();
  const url = new URL(await postgresUrl());
  const proxy = await openTcpProxy(Number(url.port));
  const DATABASE_URL = Object.assign(url, { port: String(proxy.port) }).href;
  await using gateway = await openMeasured({ DATABASE_URL, AWS_REGION: region }, '');
  const up = async () => readExposition(await gateway.scrape()).value('log_export_database_up');

  const before = await up();
  await proxy[Symbol.asyncDispose]();
  await expect.poll(up).toBe(0);
  const isLogged = () => gateway.log.some(({ msg }) => msg === 'database unreachable, retrying');
  await expect.poll(isLogged).toBe(true);

  expect(before).toBe(1);
  const recording = makeRecording();
  recording.add(await gateway.scrape(), 5);
  const line = gateway.log.find(({ msg }) => msg === 'database unreachable, retrying');
  expect(line).toMatchObject({ help: '/problems/database-unavailable' });
  expect(JSON.stringify(line)).not.toContain('"stack"');
  expectAnswers(line, 'LogExportDatabaseAway', 'database-unavailable');
  const answer = await followRunbook(gateway.get, 'LogExportDatabaseAway', 'default');
  expect(answer).toMatch(/^503 .*"\/problems\/database-unavailable"/);
  for (const path of ['/ui/targets/default', '/ui/jobs']) {
    const page = await visit(gateway.get, path);
    expect(page.text).toContain(linkOf('database-unavailable'));
  }
  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportDatabaseAway');
});
