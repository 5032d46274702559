import { describe, expect, test } from 'vitest';

import { createBody, openWorld, region, type World } from '../world.ts';

const list = (members: object) => JSON.stringify({ exportTasks: [{ taskId: 'a', ...members }] });

const wrongAnswers: [what: string, body: string][] = [
  ['no list', '{}'],
  ['null for a list', '{"exportTasks":null}'],
  ['a text for a list', '{"exportTasks":"none"}'],
  ['an object for a list', '{"exportTasks":{}}'],
  ['a list of something else', '{"exportTasks":[null]}'],
  ['a number for an id', list({ taskId: 1 })],
  ['a list for a log group', list({ logGroupName: ['/app'] })],
  ['a text for a time', list({ executionInfo: { creationTime: 'yesterday' } })],
  ['a negative time', list({ executionInfo: { creationTime: -1 } })],
  ['a time beyond the range of Date', list({ executionInfo: { creationTime: 8.7e15 } })],
  ['a fraction of a millisecond', list({ executionInfo: { completionTime: 1.5 } })],
  ['a text for a range', list({ from: 'x' })],
  ['a number beyond 64 bits', '{"exportTasks":[{"to":1e300}]}'],
  ['true for a status', list({ status: true })],
  ['a number for a code', list({ status: { code: 7 } })],
  ['a number for a token', '{"exportTasks":[],"nextToken":7}'],
];

function answerWith(
  world: World,
  operation:
    | 'DescribeExportTasks'
    | 'DescribeLogGroups'
    | 'FilterLogEvents'
    | 'StartQuery'
    | 'GetQueryResults',
  body: string,
) {
  const contentType = 'application/x-amz-json-1.1';
  world.emulator.faults.add({ operation, kind: 'replace-body', body, contentType, count: 100 });
}

describe('an answer of AWS with wrong types', () => {
  test.for(wrongAnswers)(
    'returns 502 aws-unexpected instead of an empty list: %s',
    async ([, body]) => {
      await using world = await openWorld();
      answerWith(world, 'DescribeExportTasks', body);

      for (const path of ['/export-tasks', '/export-tasks/a', '/targets/default']) {
        const answer = await world.call('GET', path);
        expect([answer.status, answer.body.type]).toEqual([502, '/problems/aws-unexpected']);
        expect(answer.body.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
      }
    },
  );

  test('does not prove that a create is absent', async () => {
    await using world = await openWorld();
    world.emulator.faults.add({
      operation: 'CreateExportTask',
      kind: 'error',
      status: 500,
      code: 'InternalFailure',
    });
    answerWith(world, 'DescribeExportTasks', '{}');

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect([answer.status, answer.body.type]).toEqual([504, '/problems/outcome-unknown']);
  });

  test.for([
    ['no list', '{}'],
    ['null for a list', '{"logGroups":null}'],
    ['a group without a name', '{"logGroups":[{"storedBytes":1}]}'],
    ['a number for a name', '{"logGroups":[{"logGroupName":1}]}'],
    ['a text for bytes', '{"logGroups":[{"logGroupName":"/app","storedBytes":"many"}]}'],
    ['a number for a token', '{"logGroups":[],"nextToken":7}'],
  ] as const)(
    'throws aws-unexpected instead of an empty list of log groups: %s',
    async ([, body]) => {
      await using world = await openWorld();
      answerWith(world, 'DescribeLogGroups', body);

      await expect(world.targets.find(undefined).logs.describeLogGroups({})).rejects.toMatchObject({
        slug: 'aws-unexpected',
      });
    },
  );
});

describe('an answer about events with wrong types', () => {
  const window = { logGroupName: '/app', from: 0, to: 1 };

  test.for([
    ['no list', '{}'],
    ['a list of something else', '{"events":[1]}'],
    ['a number for a token', '{"events":[],"nextToken":7}'],
  ] as const)('throws aws-unexpected instead of an empty page: %s', async ([, body]) => {
    await using world = await openWorld();
    answerWith(world, 'FilterLogEvents', body);

    await expect(
      world.targets.find(undefined).logs.filterLogEvents({ ...window, limit: 1 }),
    ).rejects.toMatchObject({ slug: 'aws-unexpected' });
  });

  test('throws aws-unexpected for a query without an id', async () => {
    await using world = await openWorld();
    answerWith(world, 'StartQuery', '{}');

    await expect(
      world.targets.find(undefined).logs.startQuery({ ...window, queryString: 'x' }),
    ).rejects.toMatchObject({ slug: 'aws-unexpected' });
  });

  test.for([
    ['no status', '{"results":[]}'],
    ['no results although it is complete', '{"status":"Complete"}'],
    ['null for results although it is complete', '{"status":"Complete","results":null}'],
    ['a text for results', '{"status":"Complete","results":"none"}'],
    ['a row that is no list', '{"status":"Complete","results":[{}]}'],
    ['a number for a value', '{"status":"Complete","results":[[{"field":"a","value":1}]]}'],
  ] as const)('throws aws-unexpected for results with %s', async ([, body]) => {
    await using world = await openWorld();
    answerWith(world, 'GetQueryResults', body);

    await expect(world.targets.find(undefined).logs.readQuery('1')).rejects.toMatchObject({
      slug: 'aws-unexpected',
    });
  });
});

describe('a valid answer of AWS', () => {
  test('about a query that runs may have no results', async () => {
    await using world = await openWorld();
    answerWith(world, 'GetQueryResults', '{"status":"Running"}');

    const query = await world.targets.find(undefined).logs.readQuery('1');

    expect(query).toMatchObject({ status: 'Running', rows: [] });
  });

  test('may omit members or set them to null', async () => {
    await using world = await openWorld();
    const absent = { taskName: null, status: null, executionInfo: { creationTime: null } };
    answerWith(world, 'DescribeExportTasks', list(absent));

    const answer = await world.call('GET', '/export-tasks');

    expect(answer.body).toEqual({ exportTasks: [{ taskId: 'a', executionInfo: {} }] });
  });

  test('may have an unknown status code', async () => {
    await using world = await openWorld({
      emulator: { shownStatusCodes: { COMPLETED: 'ARCHIVED' } },
    });
    const [taskId] = world.emulator.seed.finishedTasks({ region, count: 1 });

    const answer = await world.call('GET', `/export-tasks/${taskId}`);

    expect([answer.status, answer.body.status.code]).toEqual([200, 'ARCHIVED']);
  });

  test('returns 404 for ResourceNotFoundException as for an empty list', async () => {
    await using world = await openWorld();
    const code = 'ResourceNotFoundException';
    world.emulator.faults.add({ operation: 'DescribeExportTasks', kind: 'error', code });
    const { logs } = world.targets.find(undefined);

    const page = await logs.describeExportTasks({ taskId: 'x' }, { isFresh: true });

    expect(page.exportTasks).toEqual([]);
    expect(page.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
