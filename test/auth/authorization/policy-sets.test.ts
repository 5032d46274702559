import { expect, test } from 'vitest';

import { callerIn, createOf, makePolicyFolder, openPolicyDir } from '../policy-folder.ts';

// More than the parsed sets that are cached, so that each is evicted and parsed again.
const teams = Array.from({ length: 300 }, (_, number) => `team-${number}`);
const scopes = [
  (team: string) => `principal in Group::"api-key#${team}"`,
  (team: string) => `principal is Caller in Group::"api-key#${team}"`,
  (team: string) => `principal == Caller::"api-key#of-${team}"`,
];

test('permits each of three hundred teams what its own policy permits, and nothing else', async () => {
  const policies = teams.map((team, number) => {
    const scope = scopes[number % scopes.length]?.(team);
    return `@id("${team}") permit(${scope}, action, resource is LogGroup) when { resource.name like "/${team}/*" };`;
  });
  using folder = makePolicyFolder({ 'teams.cedar': policies.join('\n') });
  await using opened = await openPolicyDir(folder.path);
  const callers = teams.map((team) => callerIn([team], { subject: `of-${team}` }));

  const rounds = [1, 2].map(() =>
    callers.flatMap((caller, number) => {
      const next = teams[(number + 1) % teams.length];
      const own = opened.ask(caller, createOf({ logGroupName: `/${teams[number]}/app` }));
      const other = opened.ask(caller, createOf({ logGroupName: `/${next}/app` }));
      return own.policies[0] === teams[number] && !other.isPermitted ? [] : [caller.id];
    }),
  );

  expect(rounds).toEqual([[], []]);
});

test.for([
  ['everybody', 'principal'],
  ['every caller', 'principal is Caller'],
  ['one of its groups', 'principal in Group::"api-key#second"'],
  ['one of its groups, by kind', 'principal is Caller in Group::"api-key#second"'],
  ['it alone', 'principal == Caller::"api-key#x"'],
  ['itself as if it were a group', 'principal in Caller::"api-key#x"'],
])('never omits a policy that forbids %s', async ([, scope]) => {
  using folder = makePolicyFolder({
    'a.cedar': `permit(principal, action, resource); @id("no") forbid(${scope}, action, resource);`,
  });
  await using opened = await openPolicyDir(folder.path);

  const decision = opened.ask(callerIn(['first', 'second'], { subject: 'x' }), createOf());

  expect(decision).toEqual({ isPermitted: false, policies: ['no'] });
});

const place = { name: 'default', accountId: '123456789012', region: 'eu-west-1' };

test.for([
  ['no policy at all', '', false],
  ['a permit of everything', 'permit(principal, action, resource);', true],
  ['a permit under a condition', 'permit(principal, action, resource) when { 1 == 2 };', true],
  [
    'a permit of the action',
    'permit(principal, action == Action::"DescribeExportTasks", resource);',
    true,
  ],
  ['a permit of its kind', 'permit(principal, action in Action::"read", resource);', true],
  [
    'a permit of several actions',
    'permit(principal, action in [Action::"ReadTarget", Action::"DescribeExportTasks"], resource);',
    true,
  ],
  ['a permit of another kind', 'permit(principal, action in Action::"create", resource);', false],
  [
    'a permit of another action',
    'permit(principal, action == Action::"ReadTarget", resource);',
    false,
  ],
  ['a permit of its group', 'permit(principal in Group::"api-key#a", action, resource);', true],
  [
    'a permit of another group',
    'permit(principal in Group::"api-key#b", action, resource);',
    false,
  ],
  [
    'a permit at the target',
    'permit(principal, action, resource in Target::"default") when { resource is LogGroup };',
    true,
  ],
  [
    'a permit at another target',
    'permit(principal, action, resource is LogGroup in Target::"other");',
    false,
  ],
  [
    'a permit of a log group',
    'permit(principal, action, resource == LogGroup::"arn:aws:logs:eu-west-1:123456789012:log-group:/a");',
    true,
  ],
  ['a forbid alone', 'forbid(principal, action, resource);', false],
] as const)('shows whether a caller could ever see a task: %s', async ([, policy, can]) => {
  using folder = makePolicyFolder({ 'a.cedar': policy });
  await using opened = await openPolicyDir(folder.path);
  const request = { principal: callerIn(['a']), id: 'r-1' };

  expect(opened.authorizer.mayPermit(request, 'DescribeExportTasks', place)).toBe(can);
  expect(opened.audit).toEqual([]);
});

const arn = 'arn:aws:logs:eu-west-1:123456789012:log-group:/team-a/web';

test.for([
  [
    'resource.name like "/team-a/*"',
    ['', '/', '/team-a', '/team-a/web'],
    ['/b', '/team-b', '/tex'],
  ],
  ['resource.name like "*"', ['', '/any'], []],
  ['resource.name like "/a*b"', ['/', '/a', '/ac', '/ab'], ['/b', 'a']],
  ['resource.name == "/team-a/web"', ['', '/team-a', '/team-a/web'], ['/team-b', '/team-a/web2']],
  ['"/team-a/web" == resource.name', ['/team-a'], ['/team-b']],
  [`resource == LogGroup::"${arn}"`, ['/team-a'], ['/team-b', 'arn']],
  ['resource.name like "/a*" || resource.name like "/b*"', ['/a', '/b'], ['/c']],
  ['resource.name like "/a*" && 1 == 1', ['/', '/a'], ['/b']],
  ['resource.name like "/a*" && resource.name like "/ab*"', ['/a', '/abc'], ['/ac']],
  ['!(resource.name like "/a*")', ['/a', '/b'], []],
  ['if 1 == 2 then resource.name like "/a*" else true', ['/b'], []],
  ['principal.groups.contains(resource.name)', ['/b'], []],
  ['principal.subject == resource.name', ['/b'], []],
] as const)('shows whether a caller may export a log group with a prefix: %s', async (row) => {
  const [condition, possible, impossible] = row;
  using folder = makePolicyFolder({
    'a.cedar': `permit(principal, action, resource is LogGroup) when { ${condition} };`,
  });
  await using opened = await openPolicyDir(folder.path);
  const request = { principal: callerIn(['a']), id: 'r-1' };
  const isPossible = (prefix: string) =>
    opened.authorizer.mayPermit(request, 'CreateExportJob', place, prefix);

  expect(possible.filter((prefix) => !isPossible(prefix))).toEqual([]);
  expect(impossible.filter(isPossible)).toEqual([]);
});

test('ignores what a policy excludes by unless when it looks for a prefix', async () => {
  using folder = makePolicyFolder({
    'a.cedar': `permit(principal, action, resource is LogGroup) unless { resource.name like "/b*" };
      permit(principal, action, resource == LogGroup::"${arn.replace('team-a', 'c')}");`,
  });
  await using opened = await openPolicyDir(folder.path);
  const request = { principal: callerIn(['a']), id: 'r-1' };

  expect(opened.authorizer.mayPermit(request, 'CreateExportJob', place, '/a')).toBe(true);
});
