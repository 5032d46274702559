import { describe, expect, test } from 'vitest';

import { sessionNameOf } from '#aws/sessions/session-name.ts';
import type { Problem } from '#problems/problem.ts';
import { openWorld, region, type World } from '../../world.ts';

const accountId = '210987654321';
const roleArn = `arn:aws:iam::${accountId}:role/log-export`;
const caller = 'https://issuer.example.com#order-service';
const grant = {
  logGroupName: '/app',
  destination: 'vault',
  destinationPrefix: 'exports',
  taskId: 'task-1',
};
const window = { from: 0, to: 1, limit: 1 };

async function openScoped(isSessionScoped = true): Promise<World> {
  const world = await openWorld({
    isSessionScoped,
    targets: [{ name: 'default', region, roleArn }],
  });
  const theirs = { region, accountId };
  for (const logGroupName of ['/app', '/other']) {
    world.emulator.seed.logGroup({ ...theirs, logGroupName });
  }
  world.emulator.seed.bucket({ ...theirs, bucket: 'vault' });
  return world;
}

const slugOf = (call: Promise<unknown>) =>
  call.then(
    () => 'succeeds',
    ({ slug }: Problem) => slug,
  );

const body = Buffer.from('{}');
const manifest = {
  bucket: 'vault',
  key: 'exports/_manifest-task-1.json',
  body,
  contentType: 'application/json',
};

describe('the storage of one verification, with scoped sessions', () => {
  test('may do what the verification needs, and nothing else', async () => {
    await using world = await openScoped();
    const storage = world.targets.find(undefined).storage.scoped(grant, caller);
    const list = (prefix: string) => storage.listObjects({ bucket: 'vault', prefix });
    const denied = 'service-role-not-permitted';

    expect(await slugOf(list('exports/task-1/'))).toBe('succeeds');
    expect(await slugOf(storage.writeOnce(manifest))).toBe('succeeds');
    expect(await slugOf(storage.readObject(manifest))).toBe('succeeds');
    expect(await slugOf(list('exports/task-2/'))).toBe(denied);
    expect(await slugOf(storage.writeOnce({ ...manifest, key: 'exports/x' }))).toBe(denied);
    expect(await storage.readBucketPolicy('vault')).toEqual({ outcome: 'denied' });
  });

  test('opens one session for all its calls, with the name of the caller', async () => {
    await using world = await openScoped();
    const storage = world.targets.find(undefined).storage.scoped(grant, caller);

    for (let times = 0; times < 3; times += 1) {
      await storage.listObjects({ bucket: 'vault', prefix: 'exports/task-1/' });
    }

    const sessions = world.calls('AssumeRole');
    expect(sessions).toHaveLength(1);
    expect(world.calls('ListObjectsV2')[0]?.sourceIdentity).toBe(sessionNameOf(caller));
    expect(world.audit.filter(({ audit }) => audit === 'aws-call').slice(-2)).toMatchObject([
      { service: 's3', operation: 'ListObjectsV2', principal: caller, taskId: 'task-1' },
      { service: 's3', operation: 'ListObjectsV2', principal: caller, destination: 'vault' },
    ]);
  });

  test('reads events of its log group in another session, and no others', async () => {
    await using world = await openScoped();
    const { logs } = world.targets.find(undefined);
    const options = { caller, grant };
    const read = (logGroupName: string) =>
      slugOf(logs.filterLogEvents({ ...window, logGroupName }, options));

    expect(await read('/app')).toBe('succeeds');
    expect(await read('/app')).toBe('succeeds');
    expect(await read('/other')).toBe('service-role-not-permitted');

    expect(world.calls('AssumeRole')).toHaveLength(1);
    expect(world.calls('FilterLogEvents')[0]?.sourceIdentity).toBe(sessionNameOf(caller));
  });
});

test('without scoped sessions, a verification uses the session of the role', async () => {
  await using world = await openScoped(false);
  const target = world.targets.find(undefined);

  await target.storage.scoped(grant, caller).listObjects({ bucket: 'vault', prefix: '' });
  await target.logs.filterLogEvents({ ...window, logGroupName: '/app' }, { caller, grant });

  expect(world.calls('AssumeRole')).toEqual([]);
});
