import { GetQueryResultsCommand, StartQueryCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroupName, openAws, refusal, startAt } from '../aws.ts';

const startTime = startAt / 1000 - 10;
const endTime = startAt / 1000;

/** Opens streams `a/b` and `a+c`. Each event has its number of milliseconds before `startAt`. */
async function openStreams() {
  const aws = await openAws({ queryMs: 1000 });
  const put = (logStreamName: string, ages: number[]) =>
    aws.emulator.seed.logEvents({
      logGroupName,
      logStreamName,
      events: ages.map((age) => ({ timestamp: startAt - age, message: `age ${age}` })),
    });
  put('a/b', [0, 1, 5000, 10_000, 10_001]);
  put('a+c', [2, -1]);
  const start = async (queryString: string, changes: object = {}) => {
    const input = { logGroupName, startTime, endTime, queryString, ...changes };
    const { queryId } = await aws.logs.send(new StartQueryCommand(input));
    return queryId ?? '';
  };
  const look = (queryId: string) => aws.logs.send(new GetQueryResultsCommand({ queryId }));
  const rows = async (queryString: string, changes: object = {}) => {
    const queryId = await start(queryString, changes);
    aws.emulator.clock.advance(1000);
    const { results } = await look(queryId);
    return results?.map((row) => Object.fromEntries(row.map(({ field, value }) => [field, value])));
  };
  return Object.assign(aws, { start, look, rows });
}

describe('a query', () => {
  it('passes through Scheduled, Running and Complete by the clock, with statistics', async () => {
    await using aws = await openStreams();
    const queryId = await aws.start('filter @message like "age 5" | stats count(*) as events');

    const scheduled = await aws.look(queryId);
    aws.emulator.clock.advance(500);
    const running = await aws.look(queryId);
    aws.emulator.clock.advance(500);
    const complete = await aws.look(queryId);

    expect([scheduled.status, scheduled.results]).toEqual(['Scheduled', []]);
    expect([running.status, running.results]).toEqual(['Running', []]);
    expect(complete).toMatchObject({
      status: 'Complete',
      queryLanguage: 'CWLI',
      results: [[{ field: 'events', value: '1' }]],
      statistics: { recordsMatched: 1, recordsScanned: 5, logGroupsScanned: 1 },
    });
  });

  it.each([
    ['stats count(*)', [{ 'count(*)': '5' }]],
    ['stats count(@message) as n', [{ n: '5' }]],
    [
      `filter @timestamp >= ${startAt - 5000} and @timestamp < ${startAt} | stats count(*) as n`,
      [{ n: '3' }],
    ],
    [
      `filter @timestamp > ${startAt - 5000} and @timestamp <= ${startAt} | stats count(*) as n`,
      [{ n: '3' }],
    ],
    [`filter @timestamp = ${startAt} | stats count() as n`, [{ n: '1' }]],
    [`filter @ingestionTime <= ${startAt - 5000} | stats count(*) as n`, [{ n: '2' }]],
    ['filter @logStream like /^a\\+/ | stats count(*) as n', [{ n: '1' }]],
    ['filter @logStream like /^a\\/b/ | stats count(*) as n', [{ n: '4' }]],
    ['filter @logStream like "/b" | stats count(*) as n', [{ n: '4' }]],
    [`filter @logStream = 'a+c' | stats count(*) as n`, [{ n: '1' }]],
    [
      'stats count(*) as n by @logStream',
      [
        { '@logStream': 'a/b', n: '4' },
        { '@logStream': 'a+c', n: '1' },
      ],
    ],
    ['filter @logStream like /^a\\|b and / | stats count(*) as n', []],
    ['filter @message like /none/ | stats count(*) as n', []],
  ])('counts: %s', async (query, expected) => {
    await using aws = await openStreams();

    expect(await aws.rows(query)).toEqual(expected);
  });

  it.each([
    'fields @timestamp',
    'stats sum(x)',
    'parse @message "*" | stats count(*)',
    'filter @logStream like /^a.*/ | stats count(*)',
    'filter @logStream > "a" | stats count(*)',
    'filter @timestamp >= yesterday | stats count(*)',
    'filter level = "ERROR" | stats count(*)',
  ])('that the emulator cannot read is rejected: %s', async (query) => {
    await using aws = await openStreams();

    expect(await refusal(aws.start(query))).toMatchObject({
      name: 'MalformedQueryException',
      status: 400,
    });
  });

  it('takes its log groups by name or ARN, in one way', async () => {
    await using aws = await openStreams();
    const arn = `arn:aws:logs:us-east-1:123456789012:log-group:${logGroupName}`;
    const count = 'stats count(*) as n';
    const none = { logGroupName: undefined };

    expect(await aws.rows(count, { ...none, logGroupNames: [logGroupName] })).toEqual([{ n: '5' }]);
    expect(await aws.rows(count, { ...none, logGroupIdentifiers: [arn] })).toEqual([{ n: '5' }]);
    const twice = aws.start(count, { logGroupNames: [logGroupName] });
    expect(await refusal(twice)).toMatchObject({ name: 'InvalidParameterException' });
    const missing = aws.start(count, { logGroupName: '/none' });
    expect(await refusal(missing)).toMatchObject({ name: 'ResourceNotFoundException' });
    const backwards = aws.start(count, { endTime: startTime - 1 });
    expect(await refusal(backwards)).toMatchObject({ name: 'InvalidParameterException' });
    const sql = aws.start(count, { queryLanguage: 'SQL' });
    expect(await refusal(sql)).toMatchObject({ name: 'InvalidParameterException' });
    expect(await refusal(aws.look('none'))).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('gets LimitExceededException while 100 others run', async () => {
    await using aws = await openStreams();
    for (let query = 0; query < 100; query += 1) await aws.start('stats count(*)');

    const refused = await refusal(aws.start('stats count(*)'));
    aws.emulator.clock.advance(1000);

    expect(refused).toMatchObject({ name: 'LimitExceededException' });
    expect(await refusal(aws.start('stats count(*)'))).toBeUndefined();
  });
});
