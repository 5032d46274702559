import {
  CreateLogGroupCommand,
  type CreateLogGroupCommandInput,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  type DescribeLogGroupsCommandInput,
  DescribeLogStreamsCommand,
  type DescribeLogStreamsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroupName, openBench, refusal, startAt } from '../bench.ts';

const invalid = (message: string) => ({ name: 'InvalidParameterException', message, status: 400 });

describe('CreateLogGroup', () => {
  it('makes a group of class STANDARD, or of another, once', async () => {
    await using bench = await openBench();
    const create = (input: CreateLogGroupCommandInput) =>
      bench.logs.send(new CreateLogGroupCommand(input));

    await create({ logGroupName: '/new' });
    await create({ logGroupName: '/new/rare', logGroupClass: 'INFREQUENT_ACCESS' });

    const { logGroups } = await bench.logs.send(new DescribeLogGroupsCommand({}));
    expect(logGroups).toMatchObject([
      { logGroupName: '/new', logGroupClass: 'STANDARD', creationTime: startAt },
      { logGroupName: '/new/rare', logGroupClass: 'INFREQUENT_ACCESS' },
      { logGroupName },
    ]);
    expect(await refusal(create({ logGroupName: '/new' }))).toEqual({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log group already exists',
      status: 400,
    });
  });

  it('has a text of its own for a name that is too long', async () => {
    await using bench = await openBench();
    const create = new CreateLogGroupCommand({ logGroupName: 'x'.repeat(513) });

    expect(await refusal(bench.logs.send(create))).toEqual(
      invalid('Invalid LogGroup or LogStream, both must have length less than or equal to 512.'),
    );
  });
});

describe('DescribeLogGroups', () => {
  it('shows a group in full', async () => {
    await using bench = await openBench();
    bench.emulator.seed.logGroup({ logGroupName, retentionInDays: 30 });

    const { logGroups } = await bench.logs.send(new DescribeLogGroupsCommand({}));

    const arn = `arn:aws:logs:us-east-1:123456789012:log-group:${logGroupName}`;
    expect(logGroups).toEqual([
      {
        logGroupName,
        creationTime: startAt,
        retentionInDays: 30,
        metricFilterCount: 0,
        arn: `${arn}:*`,
        logGroupArn: arn,
        storedBytes: 0,
        logGroupClass: 'STANDARD',
        deletionProtectionEnabled: false,
      },
    ]);
  });

  it('filters by prefix, pattern, class and identifiers, and pages by name', async () => {
    await using bench = await openBench();
    for (const name of ['/a/2', '/a/1', '/b/1'])
      bench.emulator.seed.logGroup({ logGroupName: name });
    const list = async (input: DescribeLogGroupsCommandInput) => {
      const answer = await bench.logs.send(new DescribeLogGroupsCommand(input));
      return { names: answer.logGroups?.map((group) => group.logGroupName), ...answer };
    };
    const arn = 'arn:aws:logs:us-east-1:123456789012:log-group:/b/1';

    expect((await list({ logGroupNamePrefix: '/a' })).names).toEqual(['/a/1', '/a/2']);
    expect((await list({ logGroupNamePattern: '/1' })).names).toEqual(['/a/1', '/b/1']);
    expect((await list({ logGroupClass: 'DELIVERY' })).names).toEqual([]);
    expect((await list({ logGroupIdentifiers: [arn, '/a/1'] })).names).toEqual(['/a/1', '/b/1']);
    const first = await list({ limit: 3 });
    expect(first.names).toEqual(['/a/1', '/a/2', '/b/1']);
    const second = await list({ nextToken: first.nextToken });
    expect(second.names).toEqual([logGroupName]);
    expect(second.nextToken).toBeUndefined();
  });

  it('refuses prefix and pattern together, and a token of another operation', async () => {
    await using bench = await openBench();
    bench.emulator.seed.logGroup({ logGroupName: '/second' });
    const list = (input: object) => bench.logs.send(new DescribeLogGroupsCommand(input));
    const { nextToken } = await list({ limit: 1 });
    const streams = new DescribeLogStreamsCommand({ logGroupName, nextToken });

    expect(await refusal(list({ logGroupNamePrefix: 'a', logGroupNamePattern: 'b' }))).toEqual(
      invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.'),
    );
    expect(await refusal(bench.logs.send(streams))).toEqual(
      invalid('The specified nextToken is invalid.'),
    );
  });
});

describe('log streams', () => {
  it('are made once, in a group that exists', async () => {
    await using bench = await openBench();
    const create = (group: string) =>
      bench.logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: 'web' }));

    await create(logGroupName);

    expect(await refusal(create(logGroupName))).toEqual({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log stream already exists',
      status: 400,
    });
    expect(await refusal(create('/none'))).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('are listed by name or by their last event, either way round, in pages', async () => {
    await using bench = await openBench();
    const ages = { a: 3, b: 1, c: 2 };
    for (const [logStreamName, age] of Object.entries(ages)) {
      const events = [{ timestamp: startAt - age, message: 'x' }];
      bench.emulator.seed.logEvents({ logGroupName, logStreamName, events });
    }
    const list = async (input: Omit<DescribeLogStreamsCommandInput, 'logGroupName'>) => {
      const command = new DescribeLogStreamsCommand({ logGroupName, ...input });
      const answer = await bench.logs.send(command);
      const names = answer.logStreams?.map(({ logStreamName }) => logStreamName).join('');
      return { names, nextToken: answer.nextToken };
    };

    expect((await list({})).names).toBe('abc');
    expect((await list({ descending: true })).names).toBe('cba');
    expect((await list({ orderBy: 'LastEventTime' })).names).toBe('acb');
    expect((await list({ orderBy: 'LastEventTime', descending: true })).names).toBe('bca');
    expect((await list({ logStreamNamePrefix: 'b' })).names).toBe('b');
    const { names, nextToken } = await list({ limit: 2 });
    expect(names).toBe('ab');
    expect(await list({ nextToken })).toEqual({ names: 'c', nextToken: undefined });
  });

  it('are shown in full, with no stored bytes', async () => {
    await using bench = await openBench();
    const events = [5, 9, 7].map((timestamp) => ({ timestamp, message: 'x' }));
    bench.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });
    const arn = `arn:aws:logs:us-east-1:123456789012:log-group:${logGroupName}`;

    const byArn = new DescribeLogStreamsCommand({ logGroupIdentifier: arn });
    const { logStreams } = await bench.logs.send(byArn);

    expect(logStreams).toEqual([
      {
        logStreamName: 'web',
        creationTime: startAt,
        firstEventTimestamp: 5,
        lastEventTimestamp: 9,
        lastIngestionTime: startAt,
        arn: `${arn}:log-stream:web`,
        storedBytes: 0,
      },
    ]);
  });

  it('refuse a contradictory question', async () => {
    await using bench = await openBench();
    const list = (input: object) =>
      refusal(bench.logs.send(new DescribeLogStreamsCommand(input as never)));

    expect(await list({ logGroupName, logGroupIdentifier: logGroupName })).toEqual({
      name: 'ValidationException',
      message: 'LogGroup name and LogGroup ARN are mutually exclusive parameters.',
      status: 400,
    });
    expect(await list({})).toMatchObject({ name: 'InvalidParameterException' });
    expect(
      await list({ logGroupName, orderBy: 'LastEventTime', logStreamNamePrefix: 'a' }),
    ).toEqual(invalid('Cannot order by LastEventTime with a logStreamNamePrefix.'));
  });
});
