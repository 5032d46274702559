import { afterAll, beforeAll, expect, test } from 'vitest';

import { actions } from '#auth/authorization/action.ts';
import { schemaText } from '#auth/authorization/policies/schema.ts';
import { as } from '../../access.ts';
import { openWorld, type World } from '../../world.ts';
import { accessBy, callerIn, makePolicyFolder } from '../policy-folder.ts';

let world: World;
beforeAll(async () => {
  const access = accessBy('deploy/policies', {
    admin: callerIn(['administrators'], { subject: 'admin' }),
    team: callerIn(['team-a'], { subject: 'team' }),
  });
  world = await openWorld({ access });
});
afterAll(() => world[Symbol.asyncDispose]());

const check = (body: object, caller = 'admin') =>
  world.call('POST', '/authorization-checks', body, as(caller));

const create = {
  principal: { issuer: 'api-key', subject: 'checkout', groups: ['team-a'] },
  action: 'CreateExportTask',
  logGroupName: '/team-a/checkout',
  destination: 'team-a-logs',
  destinationPrefix: 'team-a/2024-05-01',
  from: 0,
  to: 1,
};

test('returns the decision and the policies that make it', async () => {
  const answer = await check(create);

  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    isPermitted: true,
    policies: ['team-a'],
    principal: 'api-key#checkout',
  });
  expect(world.calls('CreateExportTask')).toEqual([]);
});

test('returns a refusal and the policies that forbid the action', async () => {
  const answer = await check({ ...create, destinationPrefix: 'team-ab' });

  expect(answer.body).toEqual({ isPermitted: false, policies: [], principal: 'api-key#checkout' });
});

test.each([
  ['the request itself', {}, 'api-key#admin', ['administrators']],
  [
    'another issuer’s group',
    { principal: { ...create.principal, issuer: 'https://a.example' } },
    'https://a.example#checkout',
    [],
  ],
  [
    'own jobs',
    {
      ...create,
      action: 'CancelExportJob',
      logGroupName: '/x',
      isOwn: true,
      from: undefined,
      to: undefined,
    },
    'api-key#checkout',
    ['own-export-jobs'],
  ],
  [
    'a target',
    { ...create, principal: { ...create.principal, groups: ['operators'] }, action: 'ReadTarget' },
    'api-key#checkout',
    ['operators-read'],
  ],
])('accepts %s', async (_what, body, principal, policies) => {
  const answer = await check({ action: 'CreateExportTask', ...body });

  expect(answer.body).toEqual({ isPermitted: policies.length > 0, policies, principal });
});

test('gives omitted circumstances a value, so that no policy fails', async () => {
  using folder = makePolicyFolder({
    'a.cedar': `permit(principal, action == Action::"CheckAuthorization", resource);
      @id("of nothing") permit(principal, action == Action::"CreateExportJob", resource) when {
        context.destination == "" && context.destinationPrefix == "" && resource.name == "" &&
        context.from == 0 && context.to == 0 && context.priority == 0
      };
      @id("by default") permit(principal, action == Action::"CreateExportTask", resource)
      when { context.destinationPrefix == "exportedlogs" };
      @id("not mine") permit(principal, action == Action::"ReadExportJob", resource)
      when { !context.isOwn };`,
  });
  const access = accessBy(folder.path, { anybody: callerIn([]) });
  await using strict = await openWorld({ access });
  const ask = async (action: string) => {
    const answer = await strict.call('POST', '/authorization-checks', { action }, as('anybody'));
    return answer.body.policies;
  };

  expect(await ask('CreateExportJob')).toEqual(['of nothing']);
  expect(await ask('ReadExportJob')).toEqual(['not mine']);
  expect(await ask('CreateExportTask')).toEqual(['by default']); // as the mirror decides it
});

test('decides each action with the circumstances that it has in the schema, and no others', async () => {
  const given = {
    destination: 'b',
    destinationPrefix: 'p',
    from: 1,
    to: 2,
    priority: 3,
    isOwn: true,
  };
  const policies = Object.keys(given).map(
    (member) =>
      `@id("${member}") permit(principal, action, resource) when { context has ${member} };`,
  );
  using folder = makePolicyFolder({
    'a.cedar': `${policies.join('\n')}
      @id("check") permit(principal, action == Action::"CheckAuthorization", resource);`,
  });
  const access = accessBy(folder.path, { anybody: callerIn([]) });
  await using strict = await openWorld({ access });

  const decided: Record<string, string[]> = {};
  for (const action of Object.keys(actions)) {
    const body = { action, ...given };
    const answer = await strict.call('POST', '/authorization-checks', body, as('anybody'));
    const members = answer.body.policies.filter((policy: string) => policy in given);
    decided[action] = members;
  }

  expect(decided).toEqual(await contextsOfSchema());
});

/** The members of the context of each action, in alphabetical order. */
async function contextsOfSchema(): Promise<Record<string, string[]>> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  const answer = cedar.schemaToJsonWithResolvedTypes(schemaText);
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
  const { actions: ofSchema = {}, commonTypes = {} } = answer.json[''] ?? {};
  return Object.fromEntries(
    Object.keys(actions).map((action) => {
      const { type = '' } = (ofSchema[action]?.appliesTo?.context ?? {}) as { type?: string };
      const { attributes = {} } = (commonTypes[type] ?? {}) as { attributes?: object };
      return [action, Object.keys(attributes).sort()];
    }),
  );
}

test('returns 403 when the caller may not check authorizations', async () => {
  const answer = await check(create, 'team');

  expect(answer.status).toBe(403);
  expect(answer.body).toMatchObject({
    type: '/problems/not-permitted',
    detail: 'No policy permits you to use the action CheckAuthorization with target "default".',
  });
});

test('writes two audit lines: one for the check and one for the checked caller', async () => {
  world.audit.length = 0;

  await check(create);

  expect(world.audit).toMatchObject([
    { action: 'CheckAuthorization', principal: 'api-key#admin', decision: 'permit' },
    {
      action: 'CreateExportTask',
      principal: 'api-key#checkout',
      decision: 'permit',
      checkedBy: 'api-key#admin',
    },
  ]);
  const [asked, checked] = world.audit;
  expect(asked).not.toHaveProperty('checkedBy');
  expect(checked?.requestId).toBe(asked?.requestId);
});

test.each([
  ['no action', { principal: create.principal }, '#/action'],
  ['an unknown action', { ...create, action: 'DeleteLogGroup' }, '#/action'],
  [
    'an issuer with a #',
    { ...create, principal: { issuer: 'a#b', subject: 'c' } },
    '#/principal/issuer',
  ],
  [
    'a claim that is no list',
    { ...create, principal: { issuer: 'a', subject: 'c', claims: { x: 'y' } } },
    '#/principal/claims/x',
  ],
  ...['a\nb', '\n', '', '\ud800'].map((name): [string, object, string] => [
    `a claim of the name ${JSON.stringify(name)}`,
    { ...create, principal: { issuer: 'a', subject: 'c', claims: { [name]: ['y'] } } },
    `#/principal/claims/${encodeURI(name.toWellFormed())}`,
  ]),
  [
    'an id of its own',
    { ...create, principal: { ...create.principal, id: 'admin' } },
    '#/principal/id',
  ],
  ['half a number', { ...create, from: 1.5 }, '#/from'],
])('rejects %s', async (_what, body, pointer) => {
  const answer = await check(body);

  expect(answer.status).toBe(400);
  expect(answer.body.errors).toMatchObject([{ in: 'body', pointer }]);
});

test('returns 404 for an unknown target', async () => {
  const answer = await check({ ...create, target: 'nowhere' });

  expect(answer.body.type).toBe('/problems/target-not-found');
});

test('reads 64-bit integers exactly', async () => {
  const digits = '{"action":"CreateExportTask","from":9007199254740993,"to":1152921504606846976}';

  const answer = await world.call('POST', '/authorization-checks', digits, as('admin'));

  expect(answer.body.isPermitted).toBe(true);
});

test('permits everything and names no policy when there are no policies', async () => {
  await using open = await openWorld();

  const answer = await open.call('POST', '/authorization-checks', { action: 'CancelExportJob' });

  expect(answer.body).toEqual({ isPermitted: true, policies: [], principal: 'anonymous' });
});
