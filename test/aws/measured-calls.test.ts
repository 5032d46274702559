import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { awsCalls } from '#diagnostics/aws-calls.ts';
import { createBody, openWorld, pointSdkAt, type WorldOptions } from '../world.ts';
import { openLogs } from './open-logs.ts';
import { openStorage } from './storage/open-storage.ts';

const task = { ...createBody, from: 0n, to: 1n };

/** The calls that are published while `act` runs. */
async function callsDuring(act: () => Promise<unknown>) {
  const calls: { method: string; errorType: string | undefined; durationMs: number }[] = [];
  const end = awsCalls.subscribe(({ start, ...end }) => calls.push({ ...start, ...end }));
  await act();
  end();
  return calls;
}

/** The calls that are published while one create is sent through a gateway. */
async function callsOfCreate(fault?: Omit<Fault, 'operation'>, options: WorldOptions = {}) {
  await using world = await openWorld(options);
  if (fault) world.emulator.faults.add({ operation: 'CreateExportTask', ...fault } as Fault);
  const calls = await callsDuring(() => world.call('POST', '/export-tasks', createBody));
  return calls.filter(({ method }) => method === 'CloudWatchLogs/CreateExportTask');
}

describe('a call to AWS is published', () => {
  test('with its duration when it succeeds', async () => {
    const calls = await callsOfCreate({ kind: 'delay', ms: 50 } as Fault);

    expect(calls).toMatchObject([{ errorType: undefined }]);
    expect(calls[0]?.durationMs).toBeGreaterThan(40);
  });

  test.each<[string, Omit<Fault, 'operation'>, WorldOptions, string]>([
    [
      'the code of AWS',
      { kind: 'error', code: 'ThrottlingException' } as Fault,
      {},
      'ThrottlingException',
    ],
    ['_OTHER for an unknown code', { kind: 'error', code: 'NewException' } as Fault, {}, '_OTHER'],
    ['_OTHER for a lost connection', { kind: 'reset-after' }, {}, '_OTHER'],
    ['timeout', { kind: 'silence-after' }, { isTimeoutSkipped: true }, 'timeout'],
  ])('with %s when it fails', async (_what, fault, options, errorType) => {
    expect(await callsOfCreate(fault, options)).toMatchObject([{ errorType }]);
  });

  test('with not_sent when AWS cannot be reached', async () => {
    pointSdkAt('http://127.0.0.1:1');
    using logs = openLogs();

    const calls = await callsDuring(async () => {
      await logs.createExportTask(task);
      await logs.describeExportTasks({}).catch(() => {});
    });

    expect(calls).toMatchObject([
      { method: 'CloudWatchLogs/CreateExportTask', errorType: 'not_sent' },
      { method: 'CloudWatchLogs/DescribeExportTasks', errorType: 'not_sent' },
    ]);
  });

  test('for each call to S3 and KMS', async () => {
    await using opened = await openStorage({ deniedActions: { '*': ['s3:GetBucketPolicy'] } });
    const { storage } = opened;

    const calls = await callsDuring(async () => {
      await storage.readBucketPolicy('archive');
      await storage.readLifecycle('archive'); // it has none
      await storage.readKey('alias/none');
    });

    expect(calls).toMatchObject([
      { method: 'S3/GetBucketPolicy', errorType: 'AccessDenied' },
      { method: 'S3/GetBucketLifecycleConfiguration', errorType: undefined },
      { method: 'KMS/DescribeKey', errorType: undefined },
    ]);
  });

  test('for each call to STS', async () => {
    const targets = [
      { name: 'main', region: 'eu-west-1', roleArn: 'arn:aws:iam::123456789012:role/log-export' },
    ];

    const calls = await callsDuring(async () => {
      await using _world = await openWorld({ targets });
    });

    expect(calls.map(({ method }) => method)).toEqual(['STS/AssumeRole', 'STS/GetCallerIdentity']);
  });

  test('with the refusal of STS when a role is refused, which is not an outage of AWS', async () => {
    const roleArn = 'arn:aws:iam::123456789012:role/log-export';
    const targets = [{ name: 'main', region: 'eu-west-1', roleArn }];
    const emulator = { roles: { [roleArn]: { refuses: true } } };

    const calls = await callsDuring(async () => {
      await using world = await openWorld({ targets, emulator, isCheckAwaited: false });
      await world.waitFor(() => world.targets.look('main')?.state === 'unusable');
    });

    expect(calls.map(({ errorType }) => errorType)).toEqual(['AccessDenied', 'CredentialsRefused']);
  });
});
