import { expect, test } from 'vitest';

import { accessBy, makePolicyFolder } from '../auth/policy-folder.ts';
import { createBody, openWorld, region } from '../world.ts';

const roleArn = 'arn:aws:iam::200000000001:role/log-export';
const principal = {
  id: 'test#stranger',
  issuer: 'test',
  subject: 'stranger',
  groups: [],
  claims: {},
};
// The caller may do everything, but elsewhere.
const policies = [
  'permit(principal, action, resource in Target::"theirs");',
  'permit(principal, action, resource) when { resource in Target::"theirs" };',
];

const requests = [
  ['GET', '/targets/{target}', undefined, '404 /problems/target-not-found'],
  ['GET', '/export-tasks?target={target}', undefined, '200 undefined'],
  ['GET', '/export-tasks/x?target={target}', undefined, '404 /problems/export-task-not-found'],
  [
    'POST',
    '/export-tasks/x/cancel?target={target}',
    undefined,
    '404 /problems/export-task-not-found',
  ],
  ['POST', '/export-tasks?target={target}', createBody, '403 /problems/not-permitted'],
  [
    'POST',
    '/authorization-checks',
    { action: 'ReadTarget', target: '{target}' },
    '403 /problems/not-permitted',
  ],
] as const;

test.each(policies.flatMap((policy) => requests.map((request) => [policy, ...request] as const)))(
  '%s: %s %s gives a caller without permission the same answer for ready, unusable and unknown targets',
  async (policy, method, path, body, expected) => {
    using folder = makePolicyFolder({ 'a.cedar': policy });
    await using world = await openWorld({
      targets: [
        { name: 'ready', region },
        { name: 'unusable', region: 'us-east-1', roleArn },
      ],
      emulator: { roles: { [roleArn]: { refuses: true } } },
      access: accessBy(folder.path, { stranger: principal }),
    });

    const answers = await Promise.all(
      ['ready', 'unusable', 'none'].map(async (target) => {
        const answer = await world.call(
          method,
          path.replace('{target}', target),
          body && JSON.stringify(body).replace('{target}', target),
          { 'x-test-caller': 'stranger' },
        );
        return `${answer.status} ${answer.body.type}`;
      }),
    );

    expect(answers).toEqual([expected, expected, expected]);
  },
);
