import { expect, test } from 'vitest';

import { sessionNameOf } from '#aws/sessions/session-name.ts';
import { as, callersBy, principalOf, type Rule } from '../access.ts';
import { makeRandom } from '../random.ts';
import { createBody, openWorld, region, type World } from '../world.ts';

// The second suite of the matrix: the gateway ignores the policies. Only the session policies of the
// creates limit what AWS accepts.

const accountId = '210987654321';
const roleArn = `arn:aws:iam::${accountId}:role/log-export`;
// The long form: CALLERS=20 npx vitest run test/auth/forced-open.test.ts
const { CALLERS = '4' } = process.env;
const seed = Math.floor(Math.random() * 2 ** 31);
const numbers = (count: number) => [...Array(count).keys()];
const principals = numbers(Number(CALLERS)).map((number) => `team-${number}`);
const logGroups = numbers(50).map((number) => `/app/${number}`); // /app/1 begins /app/10
const buckets = ['archive', 'archive-2', 'vault'];

/** Every possible export, and whether it is permitted: about one in five. */
function makeMatrix() {
  const random = makeRandom(seed);
  return principals.flatMap((name) =>
    logGroups.flatMap((logGroupName) =>
      buckets.map((destination) => ({
        name,
        logGroupName,
        destination,
        isPermitted: random() < 0.2,
      })),
    ),
  );
}

/** Opens a world with every log group and bucket, whose authorizer permits everything. */
async function openForced(rule: Rule): Promise<World> {
  const world = await openWorld({
    isSessionScoped: true,
    targets: [{ name: 'default', region, roleArn }],
    emulator: { activeTaskLimit: Number.POSITIVE_INFINITY },
    access(audit) {
      const { authenticate, authorizer } = callersBy(rule)(audit);
      return {
        methods: [],
        authenticate,
        authorizer: { ...authorizer, require: authorizer.decide },
      };
    },
  });
  const theirs = { region, accountId };
  for (const logGroupName of logGroups) world.emulator.seed.logGroup({ ...theirs, logGroupName });
  for (const bucket of buckets) world.emulator.seed.bucket({ ...theirs, bucket });
  return world;
}

const exportOf = (name: string, logGroupName: string, destination: string) =>
  [name, logGroupName, destination].join(' ');

test(`accepts at AWS exactly the permitted exports of ${CALLERS} callers (seed ${seed})`, async () => {
  const matrix = makeMatrix();
  const permitted = new Set(
    matrix.flatMap(({ name, logGroupName, destination, isPermitted }) =>
      isPermitted ? [exportOf(name, logGroupName, destination)] : [],
    ),
  );
  await using world = await openForced(({ subject }, { resource, context }) =>
    permitted.has(exportOf(subject, resource.logGroupName ?? '', context?.destination ?? '')),
  );

  const wrong: object[] = [];
  const left = [...matrix];
  const ask = async () => {
    for (let row = left.pop(); row; row = left.pop()) {
      const { name, logGroupName, destination, isPermitted } = row;
      const body = { ...createBody, logGroupName, destination };
      const answer = await world.call('POST', '/export-tasks', body, as(name));
      const expected = isPermitted ? 201 : 403;
      if (answer.status !== expected) wrong.push({ ...row, answer: answer.text });
    }
  };
  await Promise.all(numbers(20).map(ask));

  expect(wrong).toEqual([]);
  const nameOf = new Map(
    principals.map((name) => [sessionNameOf(principalOf(name).id), name] as const),
  );
  const exported = world.creates().flatMap(({ effect, sourceIdentity = '', input }) => {
    const { logGroupName, destination } = input as Record<string, string>;
    if (effect?.kind !== 'task-created') return [];
    return [exportOf(nameOf.get(sourceIdentity) ?? '?', `${logGroupName}`, `${destination}`)];
  });
  expect(exported.toSorted()).toEqual([...permitted].toSorted());
  expect(world.creates()).toHaveLength(matrix.length);
  expect(world.calls('AssumeRole')).toHaveLength(matrix.length);
});

test('reveals nothing about the role when AWS refuses the call', async () => {
  await using world = await openForced(() => false);

  const body = { ...createBody, logGroupName: '/app/1' };
  const answer = await world.call('POST', '/export-tasks', body, as('mallory'));

  expect([answer.status, answer.body.type]).toEqual([403, '/problems/service-role-not-permitted']);
  expect(answer.text).not.toMatch(/arn:|log-export|session|mallory/);
});
