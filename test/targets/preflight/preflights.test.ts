import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Check, checkNames } from '#targets/preflight/check.ts';
import { createBody, openWorld, region, type World } from '../../world.ts';

const accountId = '123456789012';
const from = createBody.from;
const to = createBody.to + 1;
const dayMs = 86_400_000;

let world: World;

beforeAll(async () => {
  world = await openWorld({ emulator: { activeTaskLimit: 1_000 }, jobs: {} });
  const place = { region, logGroupName: '/old' };
  world.emulator.seed.logGroup({ ...place, createdAt: from - dayMs });
  const events = [{ timestamp: from + 1, message: 'hello' }];
  world.emulator.seed.logEvents({ ...place, logStreamName: 'one', events });
});

afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => {
  world.emulator.journal.clear();
  world.emulator.options.change({ deniedActions: null });
});

const query = {
  logGroupNames: ['/old'],
  from,
  to,
  destination: 'archive',
  destinationPrefix: 'exports/old',
};

/** Asks for a preflight. Returns its verdict, and its checks by name. */
async function preflight(changes: Record<string, unknown> = {}) {
  const { status, body } = await world.call('POST', '/preflights', { ...query, ...changes });
  expect(status, JSON.stringify(body)).toBe(200);
  const checks: Check[] = body.checks;
  return {
    verdict: body.verdict,
    names: checks.map(({ name }) => name),
    checks: Object.fromEntries(checks.map((check) => [check.name, check])),
  };
}

/** Makes a bucket and asks for its preflight. */
function preflightOf(bucket: string, settings: object = {}, changes: object = {}) {
  world.emulator.seed.bucket({ region, bucket, ...settings });
  return preflight({ destination: bucket, ...changes });
}

async function create(destination: string, more: object = {}): Promise<number> {
  const task = { ...createBody, logGroupName: '/old', destination, ...more };
  return (await world.call('POST', '/export-tasks', task)).status;
}

describe('a preflight', () => {
  test('passes for an export that can run, and writes nothing', async () => {
    const { verdict, names, checks } = await preflight();

    expect(verdict).toBe('pass');
    const notApplicable = ['caller-permission', 'key-policy'];
    expect(names).toEqual(checkNames.filter((name) => !notApplicable.includes(name)));
    expect(Object.values(checks).filter((check) => check.verdict !== 'pass')).toEqual([]);
    const operations = world.emulator.journal.entries().map(({ operation }) => operation);
    expect(
      operations.filter((name) => !/^(?:Get|Head|List|Describe|Filter)/.test(name ?? '')),
    ).toEqual([]);
    expect(operations.length).toBeLessThanOrEqual(12);
    expect(await create('archive')).toBe(201);
  });

  test('omits the checks of ages and events without a time range', async () => {
    const { names } = await preflight({ from: undefined, to: undefined });

    expect(names).not.toContain('events');
    expect(names).not.toContain('log-group-age');
    expect(names).not.toContain('retention');
    expect(names).toContain('log-group-class');
  });

  test.for([
    ['#/to', { to: undefined }, 'is missing'],
    ['#/from', { from: to }, 'must be before to'],
    ['#/destination', { destination: 'arn:aws:s3:::archive' }, 'write "archive"'],
    ['#/destination', { destination: 's3://archive/exports' }, 'write "archive"'],
    ['#', { logGroupNamePrefix: '/o' }, 'exactly one of'],
  ] as const)('rejects a request with a mistake at %s', async ([pointer, changes, text]) => {
    const { status, body } = await world.call('POST', '/preflights', { ...query, ...changes });

    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ pointer, detail: expect.stringContaining(text) }]);
    expect(world.emulator.journal.entries()).toEqual([]);
  });
});

describe('a preflight of a bucket', () => {
  test('fails if it does not exist, without the checks that depend on it', async () => {
    const { verdict, names, checks } = await preflight({ destination: 'nowhere' });

    expect(verdict).toBe('fail');
    expect(checks.bucket).toMatchObject({
      verdict: 'fail',
      remedy: expect.stringContaining(region),
    });
    expect(names).not.toContain('bucket-policy');
    expect(names).toContain('log-groups');
    expect(await create('nowhere')).toBe(400);
  });

  test('fails if it is in another Region', async () => {
    const { checks, names } = await preflightOf('far-away', { region: 'us-east-1' });

    // S3 does not tell its owner.
    expect(names).not.toContain('bucket-owner');

    expect(checks['bucket-region']).toMatchObject({
      verdict: 'fail',
      detail: expect.stringContaining('us-east-1'),
    });
  });

  test('of another account fails until its policy is the fix', async () => {
    const settings = { accountId: '999999999999' };

    const before = await preflightOf('foreign', settings);

    expect(before.checks['bucket-owner']?.detail).toContain('another account');
    expect(before.checks['bucket-policy']).toMatchObject({ verdict: 'pass' });
    expect(before.checks['caller-permission']).toMatchObject({
      verdict: 'fail',
      // The others exist.
      fix: {
        Statement: [
          expect.anything(),
          expect.anything(),
          { Sid: 'AllowPutObjectOfCaller' },
          { Sid: 'AllowListBucketOfCaller', Action: 's3:ListBucket' },
          { Sid: 'AllowGetObjectOfCaller', Action: 's3:GetObject' },
        ],
      },
    });
    expect(await create('foreign')).toBe(422);
    const policy = JSON.stringify(before.checks['caller-permission']?.fix);
    const after = await preflightOf('foreign', { ...settings, policy });
    expect(after.checks['caller-permission']).toMatchObject({ verdict: 'pass' });
    expect(await create('foreign')).toBe(201);
  });

  test('fails for a service role that a statement denies', async () => {
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'logs.amazonaws.com' },
          Action: 's3:*',
          Resource: ['arn:aws:s3:::closed-to-role', 'arn:aws:s3:::closed-to-role/*'],
        },
        {
          Sid: 'NoUsers',
          Effect: 'Deny',
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: 's3:Put*',
          Resource: '*',
        },
      ],
    });

    const { checks } = await preflightOf('closed-to-role', { policy });

    expect(checks['bucket-policy']).toMatchObject({ verdict: 'pass' });
    expect(checks['caller-permission']).toMatchObject({
      verdict: 'fail',
      detail: expect.stringContaining('"NoUsers"'),
    });
    expect(await create('closed-to-role')).toBe(422);
  });

  test('warns of ACLs that are enabled', async () => {
    const { checks } = await preflightOf('with-acls', { objectOwnership: 'ObjectWriter' });

    expect(checks['object-ownership']).toMatchObject({ verdict: 'warn' });
  });

  test('notes Object Lock', async () => {
    const { verdict, checks } = await preflightOf('locked', {
      objectLock: { mode: 'COMPLIANCE', days: 30 },
    });

    expect(verdict).toBe('pass');
    expect(checks['object-lock']?.detail).toContain('COMPLIANCE');
    expect(checks['object-lock']?.detail).toContain('30 days');
  });

  test.for([
    ['the whole bucket', { prefix: '' }, 'warn', 'deletes objects'],
    ['a folder above the prefix', { prefix: 'exports/' }, 'warn', 'deletes objects'],
    ['a folder below the prefix', { prefix: 'exports/old/2024/' }, 'warn', 'deletes some objects'],
    ['another folder', { prefix: 'other/' }, 'pass', 'No lifecycle rule'],
    ['the bucket, but is disabled', { prefix: '', isEnabled: false }, 'pass', 'No lifecycle rule'],
  ] as const)('answers a lifecycle rule for %s', async ([name, rule, verdict, text]) => {
    const bucket = `rule-for-${name.replaceAll(/[^a-z]+/g, '-')}`;
    const lifecycle = [{ id: 'expire', expirationDays: 7, ...rule }];

    const { checks } = await preflightOf(bucket, { lifecycle });

    expect(checks.lifecycle).toMatchObject({ verdict, detail: expect.stringContaining(text) });
  });
});

describe('a preflight of encryption', () => {
  test('fails for DSSE-KMS', async () => {
    const { checks } = await preflightOf('twice', { encryption: { algorithm: 'aws:kms:dsse' } });

    expect(checks.encryption).toMatchObject({ verdict: 'fail' });
    expect(await create('twice')).toBe(422);
  });

  test('fails for a key that CloudWatch Logs may not use, until its policy is the fix', async () => {
    const keyId = '11111111-1111-4111-8111-111111111111';
    const keyArn = world.emulator.seed.key({ region, keyId });
    const encryption = { algorithm: 'aws:kms', keyId: keyArn };

    const before = await preflightOf('with-key', { encryption });

    expect(before.checks.encryption).toMatchObject({ verdict: 'pass' });
    expect(before.checks['key-policy']).toMatchObject({ verdict: 'fail' });
    expect(await create('with-key')).toBe(422);
    const policy = JSON.stringify(before.checks['key-policy']?.fix);
    expect(policy).toContain('Enable IAM User Permissions');
    world.emulator.seed.key({ region, keyId, policy });
    const after = await preflightOf('with-key', { encryption });
    expect(after.verdict).toBe('pass');
    expect(await create('with-key')).toBe(201);
  });

  test.for([
    ['is disabled', { state: 'Disabled' as const }, 'Disabled'],
    ['is in another Region', { region: 'us-east-1' }, 'us-east-1'],
  ] as const)('fails for a key that %s', async ([name, settings, text]) => {
    const keyArn = world.emulator.seed.key({ region, ...settings });
    const encryption = { algorithm: 'aws:kms', keyId: keyArn };

    const { checks } = await preflightOf(`key-${name.replaceAll(' ', '-')}`.toLowerCase(), {
      encryption,
    });

    expect(checks['key-policy']).toMatchObject({
      verdict: 'fail',
      detail: expect.stringContaining(text),
    });
  });

  test('warns of the key that AWS manages', async () => {
    const { checks } = await preflightOf('aws-key', { encryption: { algorithm: 'aws:kms' } });

    expect(checks['key-policy']).toMatchObject({ verdict: 'warn' });
  });
});

describe('what the service role may not read', () => {
  test.for([
    ['s3:GetBucketPolicy', 'bucket-policy'],
    ['s3:GetEncryptionConfiguration', 'encryption'],
    ['s3:GetBucketOwnershipControls', 'object-ownership'],
    ['s3:GetBucketObjectLockConfiguration', 'object-lock'],
    ['s3:GetLifecycleConfiguration', 'lifecycle'],
    ['logs:DescribeLogGroups', 'log-groups'],
    ['logs:FilterLogEvents', 'events'],
  ] as const)('is unknown without %s, and fails nothing', async ([action, name]) => {
    world.emulator.options.change({ deniedActions: { '*': [action] } });

    const { verdict, checks } = await preflight();

    expect(verdict).toBe('pass');
    expect(checks[name]).toMatchObject({
      verdict: 'unknown',
      remedy: expect.stringContaining(action),
    });
  });

  test('is a warning without s3:ListBucket: slices complete without verification', async () => {
    world.emulator.options.change({ deniedActions: { '*': ['s3:ListBucket'] } });

    const { verdict, checks } = await preflight();

    expect(verdict).toBe('warn');
    expect(checks.verification?.detail).toContain('s3:ListBucket');
    // The account of the bucket is not known then.
    const remedy = expect.stringContaining('s3:ListBucket');
    expect(checks['bucket-owner']).toMatchObject({ verdict: 'unknown', remedy });
    expect(checks['caller-permission']).toMatchObject({ verdict: 'unknown', remedy });
    expect(checks.verification?.remedy).toContain('the owner of the bucket');
  });

  test('is unknown for the slot, with the permission that is missing', async () => {
    await using closed = await openWorld({
      emulator: { deniedActions: { '*': ['logs:DescribeExportTasks'] } },
    });

    const { body } = await closed.call('POST', '/preflights', {
      logGroupNames: ['/app'],
      destination: 'archive',
    });

    expect(body.checks.find(({ name }: Check) => name === 'slot')).toMatchObject({
      verdict: 'unknown',
      remedy: expect.stringContaining('logs:DescribeExportTasks'),
    });
  });

  test('is unknown for the key of the bucket', async () => {
    const keyId = world.emulator.seed.key({ region });
    world.emulator.options.change({ deniedActions: { '*': ['kms:*'] } });

    const { checks } = await preflightOf('secret-key', {
      encryption: { algorithm: 'aws:kms', keyId },
    });

    expect(checks['key-policy']).toMatchObject({
      verdict: 'unknown',
      remedy: expect.stringContaining('kms:DescribeKey'),
    });
  });

  test('makes the whole verdict unknown if it is all about the bucket', async () => {
    const operations = [
      'HeadBucket',
      'GetBucketPolicy',
      'GetBucketEncryption',
      'GetBucketOwnershipControls',
      'GetObjectLockConfiguration',
      'GetBucketLifecycleConfiguration',
      'ListObjectsV2',
    ];
    const broken = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 3 } as const;
    for (const operation of operations) world.emulator.faults.add({ operation, ...broken });

    const { verdict, checks } = await preflight();

    expect(verdict).toBe('unknown');
    expect(checks.bucket).toMatchObject({ verdict: 'unknown' });
    expect(checks['log-groups']).toMatchObject({ verdict: 'pass' });
  });
});

describe('a preflight of log groups', () => {
  beforeAll(() => {
    const { seed } = world.emulator;
    seed.logGroup({
      region,
      logGroupName: '/rare',
      logGroupClass: 'INFREQUENT_ACCESS',
      createdAt: 0,
    });
    seed.logGroup({ region, logGroupName: '/young', createdAt: to + 1 });
    seed.logGroup({
      region,
      logGroupName: '/short',
      createdAt: 0,
      retentionInDays: 7,
      retentionPolicyName: 'one-week',
    });
    seed.logGroup({ region, logGroupName: '/safe', createdAt: 0, isDeletionProtected: true });
    for (let number = 0; number < 160; number += 1) {
      seed.logGroup({ region, logGroupName: `/many/${number}`, createdAt: 0 });
    }
  });

  test.for([
    ['log-groups', '/missing', 'fail', '/missing'],
    ['log-group-class', '/rare', 'warn', 'INFREQUENT_ACCESS'],
    ['log-group-age', '/young', 'warn', 'Created after `to`'],
    ['retention', '/short', 'warn', 'one-week'],
    ['deletion-protection', '/safe', 'pass', 'All log groups'],
    ['events', '/safe', 'warn', 'no event'],
  ] as const)('answers %s for %s', async ([name, logGroupName, verdict, text]) => {
    const { checks } = await preflight({
      logGroupNames: ['/old', logGroupName].slice(
        name === 'deletion-protection' || name === 'events' ? 1 : 0,
      ),
    });

    expect(checks[name]).toMatchObject({ verdict, detail: expect.stringContaining(text) });
  });

  test('passes for one that was created after `to`, but has older events', async () => {
    const place = { region, logGroupName: '/young-with-events' };
    world.emulator.seed.logGroup({ ...place, createdAt: to + 1 });
    const events = [{ timestamp: from + 1, message: 'sent later' }];
    world.emulator.seed.logEvents({ ...place, logStreamName: 'one', events });

    const { verdict, checks } = await preflight({ logGroupNames: [place.logGroupName] });

    expect(verdict).toBe('pass');
    expect(checks['log-group-age']?.detail).toContain('has older events');
  });

  test('by a prefix checks those that begin with it', async () => {
    const { logGroupNames: _names, ...rest } = query;
    const ask = async (logGroupNamePrefix: string) => {
      const { body } = await world.call('POST', '/preflights', { ...rest, logGroupNamePrefix });
      return body.checks.find(({ name }: Check) => name === 'log-groups');
    };

    expect(await ask('/ol')).toMatchObject({ verdict: 'pass', detail: '1 log group exists.' });
    expect(await ask('/nothing')).toMatchObject({ verdict: 'fail' });
    world.emulator.journal.clear();
    expect(await ask('/many/')).toMatchObject({
      verdict: 'unknown',
      detail: expect.stringContaining('150 log groups exist.'),
    });
    expect(world.calls('DescribeLogGroups')).toHaveLength(3);
    expect(world.calls('FilterLogEvents')).toHaveLength(5);
  });
});

test('a preflight shows who holds the slot, and the forecast of the queue', async () => {
  await using busy = await openWorld({ jobs: {} });
  const taskId = busy.emulator.seed.foreignTask({ region, durationMs: 60_000 });
  const asked = { logGroupNames: ['/app'], destination: 'archive' };

  const { body } = await busy.call('POST', '/preflights', asked);

  const [slot, queue] = body.checks.slice(-2);
  expect(slot).toMatchObject({ name: 'slot', verdict: 'pass' });
  expect(slot.detail).toContain(`Export task ${taskId}`);
  expect(queue).toMatchObject({ name: 'queue', verdict: 'pass' });
  expect(queue.detail).toContain('0 slices would start before the first slice.');
});

test('a dry run returns the preflight of its plan', async () => {
  const job = {
    logGroupNames: ['/old'],
    from,
    to,
    destination: 'nowhere',
    destinationPrefix: 'jobs/{yyyy}/{jobId}/{attempt}',
  };

  const { status, body } = await world.call('POST', '/export-jobs?dryRun=true', job);

  expect(status).toBe(200);
  expect(body.preflight.verdict).toBe('fail');
  expect(body.preflight.checks.map(({ name }: Check) => name)).toContain('queue');
});

test('a refused create returns the bucket policy with the existing statements', async () => {
  const bucket = 'half-open';
  const existing = {
    Sid: 'AllowGetBucketAcl',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accountId}:root` },
    Action: 's3:GetBucketAcl',
    Resource: `arn:aws:s3:::${bucket}`,
  };
  const policy = JSON.stringify({ Version: '2012-10-17', Id: 'ours', Statement: existing });
  world.emulator.seed.bucket({ region, bucket, policy });
  const task = { ...createBody, destination: bucket };

  const { status, body } = await world.call('POST', '/export-tasks', task);

  expect(status).toBe(422);
  expect(body.bucketPolicy).toMatchObject({
    Id: 'ours',
    Statement: [existing, { Sid: 'AllowGetBucketAcl2' }, { Sid: 'AllowPutObject' }],
  });
  world.emulator.seed.bucket({ region, bucket, policy: JSON.stringify(body.bucketPolicy) });
  expect(await create(bucket)).toBe(201);
});

describe('a refused create says what to do', () => {
  const refuse = async (bucket: string, settings: object = {}) => {
    world.emulator.seed.bucket({ region, bucket, ...settings });
    const task = { ...createBody, logGroupName: '/old', destination: bucket };
    const { status, body } = await world.call('POST', '/export-tasks', task);
    expect([status, body.type]).toEqual([422, '/problems/destination-not-writable']);
    return body;
  };
  const denied = (...actions: string[]) =>
    world.emulator.options.change({ deniedActions: { '*': actions } });

  test('about the bucket policy, which it has', async () => {
    const body = await refuse('without-policy', { policy: null });

    expect(body.remedy).toMatch(/^Replace the bucket policy with `bucketPolicy`/);
    expect(body.bucketPolicy).toBeDefined();
  });

  test('about the bucket policy, whose existing statements it does not know', async () => {
    denied('s3:GetBucketPolicy');

    const body = await refuse('with-hidden-policy', { policy: null });

    expect(body.remedy).toMatch(/^Add the statements of `bucketPolicy`/);
    expect(body.bucketPolicy.Statement).toHaveLength(2);
  });

  test('about DSSE-KMS', async () => {
    const body = await refuse('dsse', { encryption: { algorithm: 'aws:kms:dsse' } });

    expect(body.remedy).toMatch(/^Set the default encryption/);
    expect(body.detail).toContain('DSSE-KMS');
    expect(body).not.toHaveProperty('bucketPolicy');
  });

  test('about the encryption if only the bucket policy is known, which is good', async () => {
    denied('s3:GetEncryptionConfiguration');

    const body = await refuse('hidden-dsse', { encryption: { algorithm: 'aws:kms:dsse' } });

    expect(body.remedy).toContain('default encryption');
    expect(body.remedy).not.toContain('bucketPolicy');
    expect(body).not.toHaveProperty('bucketPolicy');
  });

  test('about the key policy', async () => {
    const keyId = world.emulator.seed.key({ region });

    const body = await refuse('closed-key', { encryption: { algorithm: 'aws:kms', keyId } });

    expect(body.remedy).toMatch(/^Replace the key policy/);
    expect(body).not.toHaveProperty('bucketPolicy');
  });

  test('about the bucket policy and the encryption at once', async () => {
    const encryption = { algorithm: 'aws:kms:dsse' };

    const body = await refuse('doubly-closed', { policy: null, encryption });

    expect(body.remedy).toMatch(/^Replace the bucket policy.*Set the default encryption/);
    expect(body.bucketPolicy).toBeDefined();
  });

  test('about a statement that denies', async () => {
    const arn = 'arn:aws:s3:::denying';
    const Statement = [
      { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: [arn, `${arn}/*`] },
      { Sid: 'No', Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: `${arn}/*` },
    ];

    const body = await refuse('denying', { policy: JSON.stringify({ Statement }) });

    expect(body.detail).toContain('"No"');
    expect(body.remedy).toMatch(/^Change the statement/);
    expect(body).not.toHaveProperty('bucketPolicy');
  });
});
