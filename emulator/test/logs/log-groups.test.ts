import {
  CreateLogGroupCommand,
  type CreateLogGroupCommandInput,
  CreateLogStreamCommand,
  DeleteLogStreamCommand,
  DescribeLogGroupsCommand,
  type DescribeLogGroupsCommandInput,
  DescribeLogStreamsCommand,
  type DescribeLogStreamsCommandInput,
  paginateDescribeLogStreams,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroupName, openAws, refusal, startAt } from '../aws.ts';

const invalid = (message: string) => ({ name: 'InvalidParameterException', message, status: 400 });

describe('CreateLogGroup', () => {
  it('creates a group of class STANDARD or another, and rejects a second one', async () => {
    await using aws = await openAws();
    const create = (input: CreateLogGroupCommandInput) =>
      aws.logs.send(new CreateLogGroupCommand(input));

    await create({ logGroupName: '/new' });
    await create({ logGroupName: '/new/rare', logGroupClass: 'INFREQUENT_ACCESS' });

    const { logGroups } = await aws.logs.send(new DescribeLogGroupsCommand({}));
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

  it('has its own message for a name that is too long', async () => {
    await using aws = await openAws();
    const create = new CreateLogGroupCommand({ logGroupName: 'x'.repeat(513) });

    expect(await refusal(aws.logs.send(create))).toEqual(
      invalid('Invalid LogGroup or LogStream, both must have length less than or equal to 512.'),
    );
  });
});

describe('DescribeLogGroups', () => {
  it('returns all members of a group', async () => {
    await using aws = await openAws();
    aws.emulator.seed.logGroup({ logGroupName, retentionInDays: 30 });

    const { logGroups } = await aws.logs.send(new DescribeLogGroupsCommand({}));

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

  it('shows the name of an account policy that sets the retention', async () => {
    await using aws = await openAws();
    aws.emulator.seed.logGroup({
      logGroupName,
      retentionInDays: 30,
      retentionPolicyName: 'thirty-days',
      logGroupClass: 'ESSENTIALS',
      isDeletionProtected: true,
    });

    const { logGroups } = await aws.logs.send(new DescribeLogGroupsCommand({}));

    expect(logGroups).toMatchObject([
      {
        retentionInDays: 30,
        retentionPolicyName: 'thirty-days',
        logGroupClass: 'ESSENTIALS',
        deletionProtectionEnabled: true,
      },
    ]);
  });

  it('filters by prefix, pattern, class and identifiers, and pages by name', async () => {
    await using aws = await openAws();
    for (const name of ['/a/2', '/a/1', '/b/1']) aws.emulator.seed.logGroup({ logGroupName: name });
    const list = async (input: DescribeLogGroupsCommandInput) => {
      const answer = await aws.logs.send(new DescribeLogGroupsCommand(input));
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

  it('rejects prefix and pattern together, and a token of another operation', async () => {
    await using aws = await openAws();
    aws.emulator.seed.logGroup({ logGroupName: '/second' });
    const list = (input: object) => aws.logs.send(new DescribeLogGroupsCommand(input));
    const { nextToken } = await list({ limit: 1 });
    const streams = new DescribeLogStreamsCommand({ logGroupName, nextToken });

    expect(await refusal(list({ logGroupNamePrefix: 'a', logGroupNamePattern: 'b' }))).toEqual(
      invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.'),
    );
    expect(await refusal(aws.logs.send(streams))).toEqual(
      invalid('The specified nextToken is invalid.'),
    );
  });
});

describe('log streams', () => {
  it('are created once, in an existing group', async () => {
    await using aws = await openAws();
    const create = (group: string) =>
      aws.logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: 'web' }));

    await create(logGroupName);

    expect(await refusal(create(logGroupName))).toEqual({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log stream already exists',
      status: 400,
    });
    expect(await refusal(create('/none'))).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('are listed by name or by last event, in both directions, in pages', async () => {
    await using aws = await openAws();
    const ages = { a: 3, b: 1, c: 2 };
    for (const [logStreamName, age] of Object.entries(ages)) {
      const events = [{ timestamp: startAt - age, message: 'x' }];
      aws.emulator.seed.logEvents({ logGroupName, logStreamName, events });
    }
    const list = async (input: Omit<DescribeLogStreamsCommandInput, 'logGroupName'>) => {
      const command = new DescribeLogStreamsCommand({ logGroupName, ...input });
      const answer = await aws.logs.send(command);
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

  it.each([{ orderBy: 'LogStreamName' }, { orderBy: 'LastEventTime', descending: true }] as const)(
    'are listed once although streams of earlier pages are deleted: %j',
    async (input) => {
      await using aws = await openAws();
      const names = ['a', 'b', 'c', 'd', 'e'];
      for (const [age, logStreamName] of names.entries()) {
        const events = [{ timestamp: startAt - age, message: 'x' }];
        aws.emulator.seed.logEvents({ logGroupName, logStreamName, events });
      }

      const pages = paginateDescribeLogStreams(
        { client: aws.logs, pageSize: 2 },
        {
          logGroupName,
          ...input,
        },
      );
      const seen = [];
      for await (const { logStreams = [] } of pages) {
        for (const { logStreamName } of logStreams) {
          seen.push(logStreamName);
          await aws.logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName }));
        }
      }

      expect(seen).toEqual(names);
    },
  );

  it('are returned with all members, and 0 stored bytes', async () => {
    await using aws = await openAws();
    const event = { message: 'x', ingestedAt: startAt };
    const events = [5, 9, 7].map((timestamp) => ({ ...event, timestamp }));
    aws.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });
    const arn = `arn:aws:logs:us-east-1:123456789012:log-group:${logGroupName}`;

    const byArn = new DescribeLogStreamsCommand({ logGroupIdentifier: arn });
    const { logStreams } = await aws.logs.send(byArn);

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

  it('reject contradictory members', async () => {
    await using aws = await openAws();
    const list = (input: object) =>
      refusal(aws.logs.send(new DescribeLogStreamsCommand(input as never)));

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
