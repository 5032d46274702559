import { expect, test } from 'vitest';

import { openWorld } from '../world.ts';
import { renderPolicy } from './iam-policy.ts';
import { evaluatorOf, readModule } from './terraform.ts';

const region = 'eu-west-1';
const bucket = 'my-archive';
const owner = '111122223333';
const member = '444455556666';
const stranger = '777788889999';
const roleOf = (accountId: string) => `arn:aws:iam::${accountId}:role/log-export`;

// Policies of roles are not emulated: only the policy of the bucket decides.
test('the policy of the bucket lets its accounts export, and no other', async () => {
  const module = await readModule('deploy/terraform/modules/bucket');
  const evaluate = evaluatorOf(module, {
    region,
    partition: 'aws',
    dnsSuffix: 'amazonaws.com',
    accountId: owner,
    variables: {
      bucket_name: bucket,
      account_ids: [owner, member],
      service_role_arns: [roleOf(member), roleOf(stranger)],
    },
  });
  await using world = await openWorld({
    targets: [owner, member, stranger].map((accountId) => ({
      name: accountId,
      region,
      roleArn: roleOf(accountId),
    })),
  });
  const policy = JSON.stringify(renderPolicy(module, 'bucket', evaluate));
  world.emulator.seed.bucket({ region, accountId: owner, bucket, policy });

  const answers = await Promise.all(
    [owner, member, stranger].map(async (accountId) => {
      world.emulator.seed.logGroup({ region, accountId, logGroupName: '/my/app' });
      const order = { logGroupName: '/my/app', from: 1_700_000_000_000, to: 1_700_000_000_001 };
      return world.call('POST', `/export-tasks?target=${accountId}`, {
        ...order,
        destination: bucket,
      });
    }),
  );

  expect(answers.map(({ status }) => status)).toEqual([201, 201, 422]);
  expect(answers[2]?.body.type).toBe('/problems/destination-not-writable');
});
