import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Check } from '#targets/preflight/check.ts';
import { checkBucketPolicy } from '#targets/preflight/checks/bucket-policy-check.ts';
import { checkCallerPermission } from '#targets/preflight/checks/caller-permission-check.ts';
import { createBody, openWorld, region, type World } from '../../world.ts';
import { randomPolicies } from './random-policies.ts';
import { realPolicies } from './real-policies.ts';

// What a preflight says of a bucket policy is compared with what AWS does: a create, over a socket, to an
// emulator that decides with code of its own. `pass` and `fail` must be right; `unknown` may be either.

let world: World;

beforeAll(async () => {
  world = await openWorld({ emulator: { activeTaskLimit: 10_000 } });
});

afterAll(() => world[Symbol.asyncDispose]());

/** Puts a policy, or none, on a bucket. */
function putPolicy(bucket: string, policy: string | null): void {
  world.emulator.seed.bucket({ region, bucket, policy });
}

/** The text of a policy whose ARNs name the bucket `archive`, for another one. */
function toText(policy: unknown, bucket: string): string | null {
  if (policy === null) return null;
  return JSON.stringify(policy).replaceAll(':::archive', `:::${bucket}`);
}

/** Sends a create. Returns whether AWS accepts it. */
async function create(destination: string): Promise<string> {
  const { logs } = world.targets.find(undefined);
  const { from, to, ...task } = createBody;
  const range = { from: BigInt(from), to: BigInt(to) };
  return (await logs.createExportTask({ ...task, ...range, destination })).outcome;
}

const toDocument = (policy: unknown) =>
  policy === null || (typeof policy === 'object' && 'Statement' in (policy as object))
    ? policy
    : { Version: '2012-10-17', Statement: policy };

/** The answers to a create that do not contradict the checks. */
function answersFor(checks: readonly Check[]): string[] {
  const has = (verdict: Check['verdict']) => checks.some((check) => check.verdict === verdict);
  if (has('fail')) return ['refused'];
  return has('unknown') ? ['accepted', 'refused'] : ['accepted'];
}

/** Checks a policy for an export by the default role. */
async function check(bucket: string, policy: string | null): Promise<Check[]> {
  const place = { region, accountId: '123456789012', bucket };
  const exported = { destinationPrefix: 'exports/app', logGroupNames: ['/app'] };
  const query = { ...place, ...exported, isOwn: true };
  const reading =
    policy === null
      ? ({ outcome: 'absent' } as const)
      : ({ outcome: 'known', value: policy } as const);
  return [
    await checkBucketPolicy(query, reading),
    ...(await checkCallerPermission({ ...query, roleArn: undefined }, reading)),
  ];
}

describe('the check of a bucket policy', () => {
  test.for(realPolicies.map((row, at) => [...row, `archive-${at}`] as const))(
    'of %s answers %s',
    async ([, verdict, policy, bucket]) => {
      const text = toText(toDocument(policy), bucket);
      putPolicy(bucket, text);

      const checks = await check(bucket, text);

      expect(checks[0]).toMatchObject({ verdict });
      expect(answersFor(checks)).toContain(await create(bucket));
      const fix = checks[0]?.fix;
      if (fix === undefined) return;
      putPolicy(bucket, JSON.stringify(fix));
      expect(await create(bucket)).toBe('accepted');
    },
  );
});

test.for([1, 2, 3])('is never wrong about 150 random policies of seed %i', async (seed) => {
  const counts = { pass: 0, warn: 0, fail: 0, unknown: 0 };
  for (const [at, policy] of randomPolicies(seed, 150).entries()) {
    const bucket = `archive-${seed}-${at}`;
    const text = toText(policy, bucket);
    putPolicy(bucket, text);

    const checks = await check(bucket, text);

    expect(answersFor(checks), `${text}`).toContain(await create(bucket));
    counts[checks[0]?.verdict ?? 'unknown'] += 1;
  }
  // With one verdict for all of them, they would prove nothing.
  expect(Math.min(counts.pass, counts.fail, counts.unknown)).toBeGreaterThan(5);
});
