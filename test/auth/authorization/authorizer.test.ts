import { describe, expect, test } from 'vitest';

import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import { makeAuthorizer } from '#auth/authorization/make-authorizer.ts';
import { noPolicies, type Policies } from '#auth/authorization/policies/open-policies.ts';
import { anonymous } from '#auth/principal.ts';
import { Problem } from '#problems/problem.ts';
import {
  callerIn,
  createOf,
  jobOf,
  makePolicyFolder,
  openPolicyDir,
  targetOf,
} from '../policy-folder.ts';

const teamA = `
  @id("team-a") permit(principal in Group::"api-key#team-a", action, resource is LogGroup)
  when { resource.name like "/team-a/*" };
  @id("frozen") forbid(principal, action in Action::"create", resource) when { context.destination == "frozen" };`;
const caller = callerIn(['team-a']);

describe('the audit line of a decision', () => {
  test('has the caller, the action, the resource and the policies', async () => {
    using folder = makePolicyFolder({ 'a.cedar': teamA });
    await using opened = await openPolicyDir(folder.path);

    opened.authorizer.decide({ principal: caller, id: 'r-1' }, createOf());
    opened.authorizer.decide({ principal: caller, id: 'r-2' }, createOf({ destination: 'frozen' }));
    opened.authorizer.decide({ principal: anonymous, id: 'r-3' }, targetOf('ReadTarget'));

    const create = {
      audit: 'decision',
      principal: 'api-key#a',
      action: 'CreateExportTask',
      target: 'default',
      logGroupName: '/team-a/app',
      destinationPrefix: 'team-a/x',
    };
    expect(opened.audit).toMatchObject([
      {
        ...create,
        requestId: 'r-1',
        decision: 'permit',
        policies: ['team-a'],
        destination: 'team-a-logs',
      },
      {
        ...create,
        requestId: 'r-2',
        decision: 'forbid',
        policies: ['frozen'],
        destination: 'frozen',
      },
      {
        requestId: 'r-3',
        principal: 'anonymous',
        action: 'ReadTarget',
        decision: 'forbid',
        policies: [],
        target: 'default',
      },
    ]);
  });

  test('is written when the permission is required, too', async () => {
    using folder = makePolicyFolder({ 'a.cedar': teamA });
    await using opened = await openPolicyDir(folder.path);

    const decision = opened.authorizer.require({ principal: caller, id: 'r-1' }, createOf());
    const denied = () => opened.authorizer.require({ principal: anonymous, id: 'r-2' }, createOf());

    expect(decision).toEqual({ isPermitted: true, policies: ['team-a'] });
    expect(denied).toThrow(Problem);
    expect(opened.audit.map(({ decision: said }) => said)).toEqual(['permit', 'forbid']);
  });

  test('is one for all permissions of a series, with their number, and one for each refusal', async () => {
    using folder = makePolicyFolder({ 'a.cedar': teamA });
    await using opened = await openPolicyDir(folder.path);
    const names = ['/team-a/x', '/team-b/x', '/team-a/y', '/team-a/z'];

    const ask = (asked: readonly string[], id: string) => {
      using series = opened.authorizer.openSeries({ principal: caller, id });
      return asked.map((logGroupName) => series.decide(createOf({ logGroupName })).isPermitted);
    };
    const answers = [ask(names, 'r-1'), ask(['/team-a/x'], 'r-2'), ask([], 'r-3')];

    expect(answers).toEqual([[true, false, true, true], [true], []]);
    const one = { decision: 'permit', policies: ['team-a'], logGroupName: '/team-a/x' };
    expect(opened.audit).toMatchObject([
      { requestId: 'r-1', decision: 'forbid', policies: [], logGroupName: '/team-b/x' },
      { ...one, requestId: 'r-1', permitted: 3 },
      { ...one, requestId: 'r-2' },
    ]);
    expect(opened.audit[2]).not.toHaveProperty('permitted');
  });

  test('is written for earlier permissions when a refusal ends the series', async () => {
    using folder = makePolicyFolder({ 'a.cedar': teamA });
    await using opened = await openPolicyDir(folder.path);

    const demandBoth = () => {
      using series = opened.authorizer.openSeries({ principal: caller, id: 'r-1' });
      for (const name of ['/team-a/x', '/b']) series.require(createOf({ logGroupName: name }));
    };

    expect(demandBoth).toThrow(
      'No policy permits you to use the action CreateExportTask with logGroupName "/b"',
    );
    expect(opened.audit.map(({ decision }) => decision)).toEqual(['forbid', 'permit']);
  });

  test('is one for a whole list, with the numbers of shown and hidden items', async () => {
    using folder = makePolicyFolder({ 'a.cedar': teamA });
    await using opened = await openPolicyDir(folder.path);
    const names = ['/team-a/x', '/team-b/x', '/team-a/y', '/'];

    const shown = opened.authorizer.filterPermitted(
      { principal: caller, id: 'r-1' },
      names,
      (logGroupName) => createOf({ logGroupName }),
    );

    expect(shown).toEqual(['/team-a/x', '/team-a/y']);
    expect(opened.audit).toMatchObject([
      {
        requestId: 'r-1',
        action: 'CreateExportTask',
        decision: 'permit',
        policies: ['team-a'],
        target: 'default',
        shown: 2,
        hidden: 2,
      },
    ]);
  });

  test('is a refusal when every item of a list is hidden', async () => {
    using folder = makePolicyFolder({ 'a.cedar': teamA });
    await using opened = await openPolicyDir(folder.path);
    const toQuestion = (name: string) => createOf({ target: { name } });

    const shown = opened.authorizer.filterPermitted(
      { principal: anonymous, id: 'r-1' },
      ['a', 'b', 'a'],
      toQuestion,
    );
    const ofNone = opened.authorizer.filterPermitted(
      { principal: anonymous, id: 'r-2' },
      [],
      toQuestion,
    );

    expect([...shown, ...ofNone]).toEqual([]);
    expect(opened.audit).toMatchObject([
      { decision: 'forbid', policies: [], target: 'a, b', shown: 0, hidden: 3 },
    ]);
  });
});

test('repeats only the values of the caller in a refusal, and nothing of policies', async () => {
  using folder = makePolicyFolder({ 'a.cedar': teamA });
  await using opened = await openPolicyDir(folder.path);

  const denied = () =>
    opened.authorizer.require(
      { principal: caller, id: 'r-1' },
      createOf({ destination: 'frozen' }),
    );

  expect(denied).toThrow(
    expect.objectContaining({
      slug: 'not-permitted',
      detail:
        'No policy permits you to use the action CreateExportTask with logGroupName "/team-a/app", target "default", destination "frozen", destinationPrefix "team-a/x".',
      members: {},
    }),
  );
});

describe('without POLICY_DIR', () => {
  test('permits everything when authentication is off', async () => {
    await using opened = await openPolicyDir(undefined, { isAuthenticationOn: false });

    expect(opened.ask(anonymous, createOf())).toEqual({ isPermitted: true, policies: [] });
    expect(opened.authorizer).toMatchObject({ isOpen: true });
    expect(opened.authorizer.version()).toBe(openToAll.authorizer.version());
    expect(opened.log).toEqual([]);
  });

  test('refuses everything when authentication is on, and logs a warning', async () => {
    await using opened = await openPolicyDir(undefined);

    expect(opened.ask(caller, createOf())).toEqual({ isPermitted: false, policies: [] });
    expect(opened.ask(caller, jobOf('ReadExportJob', true))).toEqual({
      isPermitted: false,
      policies: [],
    });
    expect(opened.authorizer).toMatchObject({ isOpen: false });
    expect(opened.authorizer.version()).toBe(0);
    expect(opened.log).toMatchObject([
      {
        level: 'error',
        msg: 'POLICY_DIR is not set; every request is refused, and no slice starts',
      },
    ]);
  });
});

test('applies policies to anonymous callers when authentication is off', async () => {
  using folder = makePolicyFolder({
    'a.cedar':
      '@id("a") permit(principal == Caller::"anonymous", action, resource) when { resource is LogGroup };',
  });

  await using opened = await openPolicyDir(folder.path, { isAuthenticationOn: false });

  expect(opened.authorizer.isOpen).toBe(false);
  expect(opened.ask(anonymous, createOf())).toEqual({ isPermitted: true, policies: ['a'] });
  expect(opened.ask(anonymous, targetOf('ReadTarget'))).toEqual({
    isPermitted: false,
    policies: [],
  });
});

test('a tested caller has no policy set and no cached decision of its own', () => {
  let tests = 0;
  const verdict = { isPermitted: true, policies: ['all'], errors: [] };
  const policies: Policies = {
    ...noPolicies,
    evaluate: () => expect.unreachable(),
    dependsOn: () => expect.unreachable(),
    test() {
      tests += 1;
      return verdict;
    },
  };
  const audit = makeAudit({ write() {} });
  const authorizer = makeAuthorizer({
    policies,
    audit,
    log: { error: () => expect.unreachable() },
  });
  const tested = { principal: caller, id: 'r-1', checkedBy: 'api-key#admin' };

  const decisions = [createOf(), createOf()].map((each) => authorizer.decide(tested, each));

  expect(decisions).toEqual(Array(2).fill({ isPermitted: true, policies: ['all'] }));
  expect(tests).toBe(2);
});
