import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, test } from 'vitest';

import { makeParsedSets } from '#auth/authorization/policies/parsed-sets.ts';
import { makePolicySets, type PolicySets } from '#auth/authorization/policies/policy-sets.ts';
import { callerIn, createOf, makePolicyFolder, openPolicyDir } from '../policy-folder.ts';

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

/** Two versions of policies of teams, and the policies in each set of Cedar, by its name. Each parse counts. */
function makeSets(teamCount: number, policiesOfTeam: number) {
  const byId = new Map(
    Array.from({ length: teamCount * policiesOfTeam }, (_, number) => {
      const team = number % teamCount;
      return [
        `${team}-${number}`,
        `permit(principal in Group::"api-key#${team}", action, resource);`,
      ];
    }),
  );
  const live = new Map<string, string[]>();
  let parses = 0;
  const recording = {
    ...cedar,
    preparsePolicySet(name: string, { staticPolicies = {} }: cedar.PolicySet) {
      parses += 1;
      live.set(name, Object.keys(staticPolicies));
      return { type: 'success' as const };
    },
  };
  const parsedSets = makeParsedSets(recording, 'sets');
  const [first, second] = [1, 2].map((version) =>
    makePolicySets(recording, parsedSets, { version, byId }),
  ) as [PolicySets, PolicySets];
  return {
    first,
    second,
    live,
    nameFor: (team: number, sets = first) => sets.of(callerIn([`${team}`])).name(),
    policies: () => live.values().reduce((sum, ids) => sum + ids.length, 0),
    parses: () => parses,
  };
}

describe('the sets in Cedar', () => {
  test('have at most five thousand policies together, of all versions', () => {
    const sets = makeSets(30, 100);
    const found: number[] = [];
    const wrong: number[] = [];

    for (const version of [sets.first, sets.second, sets.first]) {
      for (let team = 0; team < 30; team += 1) {
        const ids = sets.live.get(sets.nameFor(team, version)) ?? [];
        if (ids.length !== 100 || !ids.every((id) => id.startsWith(`${team}-`))) wrong.push(team);
        found.push(sets.policies());
      }
    }

    expect(Math.max(...found)).toBe(5_000);
    expect(wrong).toEqual([]);
  });

  test('keep one that is used, and evict the one that is unused for longest', () => {
    const sets = makeSets(60, 100);
    const name = sets.nameFor(0);

    for (let team = 1; team < 60; team += 1) {
      sets.nameFor(team);
      sets.nameFor(0);
    }

    const parses = sets.parses();
    expect(sets.nameFor(0)).toBe(name);
    expect(sets.parses()).toBe(parses);
    sets.nameFor(1);
    expect(sets.parses()).toBeGreaterThan(parses);
  });

  test('have a set that is larger than that alone', () => {
    const sets = makeSets(1, 5_001);
    sets.nameFor(0, sets.second);

    sets.nameFor(0);

    expect(sets.policies()).toBe(5_001);
  });

  test('have all policies once for tested callers, and evict no set for them', () => {
    const sets = makeSets(50, 100);
    for (let team = 0; team < 50; team += 1) sets.nameFor(team);
    const parses = sets.parses();

    const names = [sets.first, sets.first, sets.second].map(({ all }) => all.name());
    for (let team = 0; team < 50; team += 1) sets.nameFor(team);

    expect(new Set(names).size).toBe(1);
    expect(sets.policies()).toBe(10_000);
    expect(sets.parses()).toBe(parses + 2);
  });
});

test.for(scopes)('decides about a tested caller as about the caller itself: %s', async (scope) => {
  const policies = ['a', 'b', 'c'].map(
    (team) => `@id("${team}") permit(${scope(team)}, action, resource);`,
  );
  using folder = makePolicyFolder({
    'teams.cedar': `${policies.join('')} @id("no") forbid(${scope('c')}, action, resource);`,
  });
  await using opened = await openPolicyDir(folder.path);
  const callers = [['a'], ['b', 'a'], ['a', 'c'], ['d']].map((groups) =>
    callerIn(groups, { subject: `of-${groups[0]}` }),
  );

  for (const principal of callers) {
    const tested = { principal, id: 'r-1', checkedBy: 'api-key#admin' };
    const decision = opened.authorizer.decide(tested, createOf());
    expect(decision).toEqual(opened.ask(principal, createOf()));
  }
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
  ...[
    'resource in Target::"TARGET"',
    'resource in [Target::"TARGET", Target::"third"]',
    'resource is LogGroup in Target::"TARGET"',
    'resource.target == "TARGET"',
    '"TARGET" == resource.target',
    '["TARGET", "third"].contains(resource.target)',
    '1 == 1 && (resource in Target::"third" || resource in Target::"TARGET")',
  ].flatMap((condition) =>
    [
      { target: 'default', can: true },
      { target: 'other', can: false },
    ].map(({ target, can }): [string, string, boolean] => [
      `a permit when ${condition.replace('TARGET', target)}`,
      `permit(principal, action, resource is LogGroup) when { ${condition.replace('TARGET', target)} };`,
      can,
    ]),
  ),
  [
    'a permit unless at the target',
    'permit(principal, action, resource) unless { resource in Target::"other" };',
    true,
  ],
  [
    'a permit of a log group',
    'permit(principal, action, resource == LogGroup::"arn:aws:logs:eu-west-1:123456789012:log-group:/a");',
    true,
  ],
  ['a forbid alone', 'forbid(principal, action, resource);', false],
] satisfies [string, string, boolean][])(
  'shows whether a caller could ever see a task: %s',
  async ([, policy, can]) => {
    using folder = makePolicyFolder({ 'a.cedar': policy });
    await using opened = await openPolicyDir(folder.path);
    const request = { principal: callerIn(['a']), id: 'r-1' };

    expect(opened.authorizer.mayPermit(request, 'DescribeExportTasks', place)).toBe(can);
    expect(opened.audit).toEqual([]);
  },
);

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
