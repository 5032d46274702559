import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { readCallerAccount } from '#aws/sessions/sts.ts';
import { makeStorageCalls } from '#aws/storage/calls/storage-calls.ts';
import { makeStorage } from '#aws/storage/make-storage.ts';
import { openLogs as openLogsWith, openTestAws } from '../aws/open-logs.ts';
import { longTimeouts } from '../aws-timeouts.ts';
import { createBody, openWorld, pointSdkAt, region, type World } from '../world.ts';
import { type ForwardProxy, openForwardProxy, openTlsFront } from './proxy.ts';

const task = { ...createBody, from: BigInt(createBody.from), to: BigInt(createBody.to) };
let opened: AsyncDisposableStack;
let world: World;
let proxy: ForwardProxy;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  world = opened.use(await openWorld({ emulator: { activeTaskLimit: Number.POSITIVE_INFINITY } }));
  const emulator = Number(new URL(world.emulator.url).port);
  const front = opened.use(await openTlsFront([`*.${region}.amazonaws.com`], emulator));
  proxy = opened.use(await openForwardProxy({ 'amazonaws.com': front.port }));
  pointSdkAt('');
});
afterEach(() => opened.disposeAsync());

const openLogs = (timeouts = longTimeouts, NO_PROXY = '') =>
  openLogsWith({ timeouts, proxyEnv: { HTTPS_PROXY: proxy.url, NO_PROXY } });

describe('calls to AWS', () => {
  test('go through the proxy, with its password', async () => {
    using logs = openLogs();

    const created = await logs.createExportTask(task);
    const listed = await logs.describeExportTasks({});

    expect(created.outcome).toBe('accepted');
    expect(listed.exportTasks).toHaveLength(1);
    const authorization = `Basic ${Buffer.from('gateway:s3cret!').toString('base64')}`;
    const logsHost = { target: `logs.${region}.amazonaws.com:443`, authorization };
    expect(proxy.connects).toEqual([logsHost, logsHost]);
  });

  test('to STS go through the proxy, also for a web identity', async () => {
    const proxyEnv = { HTTPS_PROXY: proxy.url };
    using aws = openTestAws({ proxyEnv });
    using other = openTestAws({ proxyEnv });
    const how = { credentials: undefined, record: () => {} };

    const account = await readCallerAccount({ region: aws.region(region), ...how });
    const before = proxy.connects.length;
    delete process.env.AWS_ACCESS_KEY_ID;
    Object.assign(process.env, {
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/irsa',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/proc/self/comm',
    });
    await readCallerAccount({ region: other.region(region), ...how }).catch(() => {}); // the emulator does not support this identity

    expect(account).toBe('123456789012');
    expect(before).toBe(1);
    expect(proxy.connects.slice(before)).not.toEqual([]);
    for (const { target } of proxy.connects) expect(target).toBe(`sts.${region}.amazonaws.com:443`);
  });

  test('to S3 and KMS go through the proxy, to the host of the bucket', async () => {
    using aws = openTestAws({ proxyEnv: { HTTPS_PROXY: proxy.url } });
    const calls = makeStorageCalls({ region: aws.region(region), credentials: undefined });
    const storage = makeStorage(calls, { accountId: undefined, region });
    world.emulator.seed.key({ region, alias: 'alias/exports' });

    const key = await storage.readKey('alias/exports');
    proxy.manner = 403;
    const bucket = await storage.readBucketPolicy('archive');

    expect(key.outcome).toBe('known');
    expect(bucket).toMatchObject({ problem: { slug: 'aws-unavailable' } });
    expect([...new Set(proxy.connects.map(({ target }) => target))]).toEqual([
      `kms.${region}.amazonaws.com:443`,
      `archive.s3.${region}.amazonaws.com:443`,
    ]);
  });

  test('reuse their connection, except a create, which has its own', async () => {
    using logs = openLogs();

    for (let times = 0; times < 3; times += 1) await logs.describeExportTasks({});
    const ofReads = proxy.connects.length;
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, () => logs.createExportTask(task)),
    );

    expect(ofReads).toBe(1);
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    expect(proxy.connects).toHaveLength(ofReads + 60);
  });

  test.for([
    ['cn-north-1', 'amazonaws.com.cn'],
    ['us-gov-west-1', 'amazonaws.com'],
    ['eusc-de-east-1', 'amazonaws.eu'],
    ['us-isof-south-1', 'csp.hci.ic.gov'],
  ])('from %s go to hosts below %s', async ([elsewhere = '', suffix]) => {
    proxy.manner = 403;
    using aws = openTestAws({ proxyEnv: { HTTPS_PROXY: proxy.url } });
    const how = { region: aws.region(elsewhere), credentials: undefined };

    await makeCloudWatchLogs(how).createExportTask(task);
    await readCallerAccount({ ...how, record: () => {} }).catch(() => {});

    expect(proxy.connects.map(({ target }) => target)).toEqual([
      `logs.${elsewhere}.${suffix}:443`,
      `sts.${elsewhere}.${suffix}:443`,
    ]);
  });

  test('do not go through the proxy when NO_PROXY contains their host', async () => {
    pointSdkAt('https://aws.invalid'); // a name that nobody may have
    using logs = openLogs(longTimeouts, '.invalid');

    await expect(logs.describeExportTasks({})).rejects.toThrow('Nothing was sent');

    expect(proxy.connects).toEqual([]);
  });
});

describe('a create that the proxy refuses', () => {
  test.for([403, 407, 502, 503])('is not sent when CONNECT gets %d', async (status) => {
    using logs = openLogs();
    proxy.manner = status;

    const { outcome } = await logs.createExportTask(task);

    expect(outcome).toBe('not-sent');
    expect(world.creates()).toEqual([]);
  });

  test('is not sent when the proxy is down', async () => {
    using logs = openLogs();
    await proxy.goAway();

    expect((await logs.createExportTask(task)).outcome).toBe('not-sent');
  });

  test('is not sent when the proxy does not answer, and its connection is closed', async () => {
    using logs = openLogs({ ...longTimeouts, connectMs: 300, readMs: 600 });
    proxy.manner = 'silent';

    const { outcome } = await logs.createExportTask(task);

    expect(outcome).toBe('not-sent');
    await expect.poll(() => proxy.open()).toBe(0);
  });

  test('does not keep later ones from being sent, after any number of them', async () => {
    using logs = openLogs();
    proxy.manner = 503;
    const refused = await Promise.all(
      Array.from({ length: 120 }, () => logs.createExportTask(task)),
    );
    proxy.manner = 'pass';

    expect(new Set(refused.map(({ outcome }) => outcome))).toEqual(new Set(['not-sent']));
    expect((await logs.createExportTask(task)).outcome).toBe('accepted');
    expect(world.creates()).toHaveLength(1);
  });
});
