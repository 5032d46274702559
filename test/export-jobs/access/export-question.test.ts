import { expect, test } from 'vitest';

import {
  requireEach,
  requireExportAt,
  toExportQuestion,
} from '#export-jobs/access/export-question.ts';
import { Problem } from '#problems/problem.ts';
import { makeFindTarget } from '#wire/target/find-target.ts';
import { authorizerBy, principalOf } from '../../access.ts';
import { makePolicyFolder, openPolicyDir } from '../../auth/policy-folder.ts';

const target = { name: 'default', accountId: '123456789012', region: 'eu-west-1' };
const request = { principal: principalOf('ann'), id: 'request' };
const names = Array.from({ length: 100 }, (_, n) => `/g/${n}`);
const toQuestion = (logGroupName: string) =>
  toExportQuestion(target, {
    logGroupName,
    destination: 'archive',
    destinationPrefix: 'x',
    priority: 0,
    fromAt: 0,
    toAt: 1,
  });

test('lets other requests run during many decisions', async () => {
  let decided = 0;
  const seen: number[] = [];
  const demanded = requireEach(
    authorizerBy(() => ++decided > 0),
    request,
    names,
    toQuestion,
  );
  const look = () => {
    seen.push(decided);
    if (decided < names.length) setImmediate(look);
  };
  setImmediate(look);
  await demanded;

  expect(seen.slice(0, 4)).toEqual([20, 40, 60, 80]);
});

test('returns the policies of all decisions, each once', async () => {
  const authorizer = authorizerBy(() => true);

  expect(await requireEach(authorizer, request, names, toQuestion)).toEqual(['the-rule']);
  expect(await requireEach(authorizer, request, [], toQuestion)).toEqual([]);
});

test('stops at the first refusal, and refuses without names that the caller may not know', async () => {
  const asked: (string | undefined)[] = [];
  const authorizer = authorizerBy((_principal, { resource }) => {
    asked.push(resource.logGroupName);
    return resource.logGroupName !== '/g/1';
  });
  const refusal = new Problem('not-permitted', 'Something is not permitted.');

  const named = requireEach(authorizer, request, names, toQuestion);
  await expect(named).rejects.toMatchObject({ detail: 'The rule forbids it.' });
  const nameless = requireEach(authorizer, request, names, toQuestion, () => refusal);
  await expect(nameless).rejects.toBe(refusal);

  expect(asked).toEqual(['/g/0', '/g/1', '/g/0', '/g/1']);
});

test('makes each question only after the permit of the one before', async () => {
  let made = 0;
  const countQuestion = (name: string) => {
    made += 1;
    return toQuestion(name);
  };
  const never = requireEach(
    authorizerBy(() => false),
    request,
    names,
    countQuestion,
  );

  await expect(never).rejects.toMatchObject({ slug: 'not-permitted' });
  expect(made).toBe(1);
});

test('refuses a target that no policy permits, without evaluating what policies say of values', async () => {
  using folder = makePolicyFolder({
    'a.cedar': `permit(principal, action in Action::"create", resource in Target::"other");
      forbid(principal, action == Action::"CreateExportJob", resource) when { context.priority > 5 };`,
  });
  await using opened = await openPolicyDir(folder.path);
  const { authorizer } = opened;
  const findTarget = makeFindTarget({ look: () => undefined, list: () => [] }, authorizer);
  const operation = 'CreateExportTask';
  const asked = {
    name: undefined,
    region: 'eu-west-1',
    operation,
    action: 'CreateExportJob',
  } as const;

  expect(() => requireExportAt(authorizer, request, target, '/app')).toThrow(Problem);
  expect(() => findTarget(request, asked)).toThrow('is not authorized to perform');

  const refusal = { action: 'CreateExportJob', decision: 'forbid', policies: [] };
  expect(opened.audit).toMatchObject([
    { ...refusal, target: 'default', logGroupName: '/app' },
    { ...refusal, target: '*', logGroupName: '*' },
  ]);
  expect(opened.log).toEqual([]);
});
