import { describe, expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../world.ts';

// Every operator starts with a bucket that nobody may write to.
describe.for([
  ['aws', 'eu-west-1'],
  ['aws-us-gov', 'us-gov-west-1'],
  ['aws-cn', 'cn-north-1'],
  ['aws-eusc', 'eusc-de-east-1'],
  ['aws-iso', 'us-iso-east-1'],
  ['aws-iso-b', 'us-isob-east-1'],
  ['aws-iso-e', 'eu-isoe-west-1'],
  ['aws-iso-f', 'us-isof-south-1'],
] as const)('in %s, %s', ([partition, region]) => {
  const roleArn = `arn:${partition}:iam::123456789012:role/log-export`;

  test.for([
    ['in the session of the gateway', { isSessionScoped: false }],
    ['in a session that may do nothing else', { isSessionScoped: true }],
  ] as const)('a create succeeds with the bucket policy of its 422: %s', async ([, options]) => {
    await using world = await openWorld({
      targets: [{ name: 'default', region, roleArn }],
      ...options,
    });

    expect(await createTwice(world, region)).toEqual([422, 201]);
  });
});

test.for([
  ['cn-north-1', 'own-suffix'],
  ['cn-north-1', 'amazonaws.com'],
  ['eusc-de-east-1', 'own-suffix'],
  ['eusc-de-east-1', 'amazonaws.com'],
] as const)(
  'in %s, a create succeeds with the bucket policy of its 422 if CloudWatch Logs writes only as %s',
  async ([region, otherPartitionPrincipals]) => {
    await using world = await openWorld({
      targets: [{ name: 'default', region }],
      emulator: { otherPartitionPrincipals },
    });

    expect(await createTwice(world, region)).toEqual([422, 201]);
  },
);

/** The statuses of a create without a bucket policy, and of one with the policy from that answer. */
async function createTwice(world: World, region: string): Promise<number[]> {
  world.emulator.seed.logGroup({ region, logGroupName: '/app' });
  world.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
  const intoClosed = { ...createBody, destination: 'closed' };

  const refused = await world.call('POST', '/export-tasks', intoClosed);
  const policy = JSON.stringify(refused.body.bucketPolicy);
  world.emulator.seed.bucket({ region, bucket: 'closed', policy });
  const created = await world.call('POST', '/export-tasks', intoClosed);

  return [refused.status, created.status];
}
