import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CancelExportTaskCommand,
  type CloudWatchLogsClient,
  CreateExportTaskCommand,
  type CreateExportTaskCommandInput,
  DescribeExportTasksCommand,
  DescribeLogGroupsCommand,
  type DescribeLogGroupsCommandInput,
  type LogGroup,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeWireKey } from '#auth/authentication/signature/wire-key.ts';
import { openGuard } from '../auth/guard.ts';
import { makePolicyFolder, openPolicyDir } from '../auth/policy-folder.ts';
import { temporaryDir } from '../database/homes.ts';
import { region } from '../world.ts';
import { openWire, type Wire } from './open-wire.ts';

// Real keys, real signatures and real policies.

const wireSecret = 'a secret that only this test knows';
const names = ['team-a', 'team-b', 'team-d', 'auditor'] as const;
type Caller = (typeof names)[number];
const permittedOfTeamD = ['/team-d/a', '/team-d/b', '/team-d/x', '/team-d/y'];
const policies = `
permit(principal == Caller::"api-key#team-a", action in [Action::"create", Action::"read", Action::"cancel"], resource is LogGroup)
when {
  resource.name like "/team-a/*" &&
  context has destination && context.destination == "archive" &&
  context has destinationPrefix && context.destinationPrefix like "team-a*"
};
permit(principal == Caller::"api-key#team-b", action == Action::"CreateExportJob", resource is LogGroup)
when { resource.name like "/team-b/*" };
permit(principal == Caller::"api-key#team-d", action == Action::"CreateExportJob", resource is LogGroup)
when { resource.name like "/team-d/*" }
unless { resource.name like "/team-d/hidden*" || resource.name like "/team-d/many*" };
permit(principal == Caller::"api-key#auditor", action == Action::"ReadExportJob", resource);
forbid(principal, action == Action::"CreateExportJob", resource is LogGroup)
when { resource.name == "/team-a/secret" };
`;

const closing = new AsyncDisposableStack();
let wire: Wire;
let decisions: object[];
const clients = {} as Record<Caller, CloudWatchLogsClient>;
beforeAll(async () => {
  const apiKeysFile = join(temporaryDir(afterAll), 'api-keys.json');
  const keys = names.map((name) => ({ name, sha256: hash('sha256', name), wire: 1 }));
  writeFileSync(apiKeysFile, JSON.stringify(keys));
  const guard = closing.use(
    await openGuard({
      methods: ['api-key'],
      apiKeysFile,
      signatures: { secrets: [wireSecret], basePath: '' },
    }),
  );
  const folder = closing.use(makePolicyFolder({ 'a.cedar': policies }));
  const { authorizer, audit } = closing.use(await openPolicyDir(folder.path));
  decisions = audit;
  wire = closing.use(
    await openWire({
      isDispatching: false,
      access: () => ({ ...guard.access(), authorizer }),
      // A page ends early after two seconds. They are minutes here, so that none does on a busy machine.
      elapsed: () => performance.now() / 100,
    }),
  );
  for (const logGroupName of ['/team-a/web', '/team-a/secret', '/team-b/web', '/team-c/web']) {
    wire.emulator.seed.logGroup({ region, logGroupName });
  }
  const numbered = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${name}-${String(index).padStart(3, '0')}`);
  const hiddenOfTeamD = [...numbered('/team-d/hidden', 60), ...numbered('/team-d/many', 510)];
  for (const logGroupName of [...permittedOfTeamD, ...hiddenOfTeamD]) {
    wire.emulator.seed.logGroup({ region, logGroupName });
  }
  for (const name of names) clients[name] = wire.client({ keys: makeWireKey(wireSecret, name, 1) });
});
afterAll(() => closing.disposeAsync());

const order = { from: 1, to: 2, destination: 'archive', logGroupName: '/team-a/web' };
const create = async (
  client: CloudWatchLogsClient,
  input: Partial<CreateExportTaskCommandInput> = {},
) => {
  const whole = { ...order, destinationPrefix: 'team-a', ...input };
  return (await client.send(new CreateExportTaskCommand(whole))).taskId ?? '';
};
const describeTasks = async (client: CloudWatchLogsClient, taskId?: string) => {
  const page = await client.send(new DescribeExportTasksCommand(taskId ? { taskId } : {}));
  return page.exportTasks?.map((task) => task.taskId);
};
const groupsOf = async (client: CloudWatchLogsClient, input: DescribeLogGroupsCommandInput = {}) =>
  (await client.send(new DescribeLogGroupsCommand(input))).logGroups;

describe('CreateExportTask', () => {
  test.each<Partial<CreateExportTaskCommandInput>>([
    { logGroupName: '/team-b/web' },
    { logGroupName: '/team-a/secret' },
    { logGroupName: '/team-a/not-there', destination: 'other' },
    { destinationPrefix: 'team-b' },
  ])('refuses what the policies do not permit: %j', async (input) => {
    const refusal = await create(clients['team-a'], input).catch((error) => error);

    const { logGroupName = order.logGroupName } = input;
    const arn = `arn:aws:logs:${region}:123456789012:log-group:${logGroupName}`;
    expect(refusal).toMatchObject({
      name: 'AccessDeniedException',
      message: `User: api-key#team-a is not authorized to perform: logs:CreateExportTask on resource: ${arn}`,
    });
  });

  test('decides by the prefix that was asked for, which is no template', async () => {
    const taskId = await create(clients['team-a'], { destinationPrefix: 'team-a{x' });

    const { destinationPrefix } = await wire.database.queries
      .selectFrom('jobs')
      .select('destinationPrefix')
      .where('id', '=', taskId)
      .executeTakeFirstOrThrow();
    expect(destinationPrefix).toBe('team-a{x');
  });

  test.each(['', '/', undefined])(
    'decides by the default of AWS for the prefix %j',
    async (empty) => {
      await create(clients['team-d'], { logGroupName: '/team-d/a', destinationPrefix: empty });

      expect(decisions.at(-1)).toMatchObject({
        action: 'CreateExportJob',
        destinationPrefix: 'exportedlogs',
      });
    },
  );
});

test('a task of another caller looks like one that does not exist', async () => {
  const taskId = await create(clients['team-a']);

  expect(await describeTasks(clients['team-b'], taskId)).toEqual([]);
  expect(await describeTasks(clients['team-b'])).toEqual([]);
  expect(await describeTasks(clients['team-a'])).toContain(taskId);
  expect(await describeTasks(clients.auditor, taskId)).toEqual([taskId]);
  for (const name of ['team-b', 'auditor'] as const) {
    const refusal = clients[name].send(new CancelExportTaskCommand({ taskId }));
    await expect(refusal).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified export task does not exist.',
    });
  }
  await clients['team-a'].send(new CancelExportTaskCommand({ taskId }));
});

describe('DescribeLogGroups', () => {
  const nameOf = ({ logGroupName }: LogGroup) => logGroupName;

  test('shows the log groups that the caller may export to some destination, as AWS has them', async () => {
    const ofTeamA = await groupsOf(clients['team-a']);
    const ofTeamB = await groupsOf(clients['team-b'], { logGroupNamePrefix: '/team' });

    expect(ofTeamA?.map(nameOf)).toEqual(['/team-a/web']);
    expect(ofTeamB?.map(nameOf)).toEqual(['/team-b/web']);
    expect(ofTeamA?.[0]).toMatchObject({
      arn: `arn:aws:logs:${region}:123456789012:log-group:/team-a/web:*`,
      creationTime: expect.any(Number),
    });
  });

  test.each<[DescribeLogGroupsCommandInput, RegExp]>([
    [{ accountIdentifiers: ['111122223333'] }, /one account/],
    [{ includeLinkedAccounts: true }, /one account/],
    [
      { logGroupIdentifiers: [`arn:aws:logs:${region}:111122223333:log-group:/app`] },
      /one account/,
    ],
    [{ logGroupNamePrefix: '/a', logGroupNamePattern: 'b' }, /^LogGroup name prefix and/],
  ])('rejects %j', async (input, message) => {
    await expect(groupsOf(clients['team-a'], input)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringMatching(message),
    });
  });

  const read = async (input: DescribeLogGroupsCommandInput, name: Caller = 'team-d') => {
    const { logGroups, nextToken } = await clients[name].send(new DescribeLogGroupsCommand(input));
    return { names: logGroups?.map(nameOf), nextToken };
  };
  const readAll = async (input: DescribeLogGroupsCommandInput) => {
    const pages = [await read(input)];
    for (let nextToken = pages[0]?.nextToken; nextToken; nextToken = pages.at(-1)?.nextToken) {
      pages.push(await read({ ...input, nextToken }));
    }
    return pages;
  };

  test('fills its pages with permitted log groups, and has no token at their end', async () => {
    const pages = await readAll({ limit: 2 });

    expect(pages.map(({ names: shown }) => shown)).toEqual([
      ['/team-d/a', '/team-d/b'],
      ['/team-d/x', '/team-d/y'],
    ]);
  });

  test.each(['/team-d/hidden', '/team-d/hidden-00', '/team-d/nothing', '/team-c', '/nothing'])(
    'answers the same whether hidden log groups begin with %s or not',
    async (prefix) => {
      const page = await read({ logGroupNamePrefix: prefix, limit: 1 });

      expect(page).toEqual({ names: [], nextToken: undefined });
    },
  );

  test.each<DescribeLogGroupsCommandInput>([
    { logGroupNamePrefix: '/team-c' },
    { logGroupIdentifiers: ['/team-c/web', `arn:aws:logs:${region}:123456789012:log-group:/x`] },
  ])('does not call AWS for %j, which no policy permits', async (input) => {
    const before = wire.calls('DescribeLogGroups').length;

    expect(await read(input)).toEqual({ names: [], nextToken: undefined });
    expect(wire.calls('DescribeLogGroups')).toHaveLength(before);
  });

  test('ends a page early after 500 hidden log groups, and continues it', async () => {
    const pages = await readAll({ logGroupNamePrefix: '/team-d/m' });
    const found = pages.flatMap((page) => page.names ?? []);

    expect(pages.length).toBeGreaterThan(1);
    expect(found).toEqual([]);
    const last = await readAll({ logGroupNamePattern: 'team-d/' });
    expect(last.flatMap((page) => page.names)).toEqual(permittedOfTeamD);
  });

  test('shows named log groups without the hidden ones', async () => {
    const logGroupIdentifiers = ['/team-d/y', '/team-d/hidden-001', '/team-d/a'];

    const pages = await readAll({ logGroupIdentifiers, limit: 1 });

    expect(pages.map((page) => page.names)).toEqual([['/team-d/a'], ['/team-d/y']]);
  });

  test('returns tokens of one length that contain no names', async () => {
    const tokens = await Promise.all([
      read({ limit: 1 }),
      read({ limit: 3 }),
      read({ logGroupNamePrefix: '/team-d/many' }),
    ]);

    const texts = tokens.map(({ nextToken = '' }) => nextToken);
    expect(new Set(texts.map(({ length }) => length)).size).toBe(1);
    expect(texts.map((text) => Buffer.from(text, 'base64url').toString()).join()).not.toContain(
      'team',
    );
  });

  test.each<[string, (token: string) => Promise<unknown>]>([
    ['of another caller', (nextToken) => read({ nextToken }, 'team-a')],
    ['of other filters', (nextToken) => read({ nextToken, logGroupNamePrefix: '/team-d' })],
    ['that was changed', (nextToken) => read({ nextToken: `${nextToken.slice(0, -9)}AAAAAAAAA` })],
    ['that is none', () => read({ nextToken: 'abc' })],
  ])('rejects a token %s', async (_which, use) => {
    const { nextToken = '' } = await read({ limit: 1 });

    await expect(use(nextToken)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'The specified nextToken is invalid.',
    });
  });

  test('is not for a caller that may export nothing', async () => {
    await expect(groupsOf(clients.auditor)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: api-key#auditor is not authorized to perform: logs:DescribeLogGroups on resource: arn:aws:logs:${region}:*:log-group:*`,
    });
  });
});
