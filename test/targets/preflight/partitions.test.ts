import { expect, test } from 'vitest';
import type { Check } from '#targets/preflight/check.ts';
import { createBody, openWorld } from '../../world.ts';

// Public sources disagree about the service principal of CloudWatch Logs outside of amazonaws.com.

test.for([
  ['us-gov-west-1', 'any', 'pass'],
  ['cn-north-1', 'own-suffix', 'unknown'],
  ['cn-north-1', 'amazonaws.com', 'unknown'],
  ['eusc-de-east-1', 'own-suffix', 'unknown'],
  ['eusc-de-east-1', 'amazonaws.com', 'unknown'],
] as const)(
  'in %s, a create succeeds with the fix of a preflight if the principal is %s',
  async ([region, otherPartitionPrincipals, verdictOfOneName]) => {
    await using world = await openWorld({
      targets: [{ name: 'default', region }],
      emulator: { otherPartitionPrincipals },
    });
    world.emulator.seed.logGroup({ region, logGroupName: '/app' });
    const put = (policy: object | null) =>
      world.emulator.seed.bucket({
        region,
        bucket: 'closed',
        policy: policy && JSON.stringify(policy),
      });
    const check = async (): Promise<Check | undefined> => {
      const asked = { logGroupNames: ['/app'], destination: 'closed' };
      const { body } = await world.call('POST', '/preflights', asked);
      return body.checks.find(({ name }: Check) => name === 'bucket-policy');
    };

    put(null);
    const fix = (await check())?.fix ?? {};
    put(fix);
    const fixed = await check();
    const task = { ...createBody, destination: 'closed', destinationPrefix: undefined };
    const created = await world.call('POST', '/export-tasks', task);
    put(withOneName(fix));
    const partly = await check();

    expect(fixed).toMatchObject({ verdict: 'pass' });
    expect(created.status).toBe(201);
    expect(partly).toMatchObject({ verdict: verdictOfOneName });
  },
);

/** The policy with the first of its service principals alone. */
function withOneName(policy: object): object {
  const { Statement, ...rest } = policy as { Statement: { Principal: { Service: string[] } }[] };
  return {
    ...rest,
    Statement: Statement.map((statement) => ({
      ...statement,
      Principal: { Service: [statement.Principal.Service].flat()[0] },
    })),
  };
}
