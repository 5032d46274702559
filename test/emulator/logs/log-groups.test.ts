import {
  CreateLogGroupCommand,
  type CreateLogGroupCommandInput,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  type DescribeLogGroupsCommandInput,
  DescribeLogStreamsCommand,
  type DescribeLogStreamsCommandInput,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroupName, openBench, refusal, sendLogs, startAt } from '../bench.ts';

const hourMs = 3_600_000;
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

describe('PutLogEvents', () => {
  async function openStream(options: Parameters<typeof openBench>[0] = {}) {
    const bench = await openBench(options);
    const logStreamName = 'web';
    await bench.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    return {
      ...bench,
      put: (timestamps: number[], message = 'x') =>
        bench.logs.send(
          new PutLogEventsCommand({
            logGroupName,
            logStreamName,
            logEvents: timestamps.map((timestamp) => ({ timestamp, message })),
          }),
        ),
      async range() {
        const list = new DescribeLogStreamsCommand({ logGroupName });
        const [stream] = (await bench.logs.send(list)).logStreams ?? [];
        return [stream?.firstEventTimestamp, stream?.lastEventTimestamp];
      },
    };
  }

  it('stores events and answers a sequence token nobody needs', async () => {
    await using stream = await openStream();

    const answer = await stream.put([startAt - 1, startAt]);

    expect(answer.nextSequenceToken).toMatch(/^\d{56}$/);
    expect(answer.rejectedLogEventsInfo).toBeUndefined();
    const [group] = (await stream.logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? [];
    expect(group?.storedBytes).toBe(2 * (1 + 26));
  });

  it('answers 200 and rejects events older than 14 days', async () => {
    await using stream = await openStream();
    const edge = startAt - 14 * 24 * hourMs;

    const { rejectedLogEventsInfo } = await stream.put([edge - 2, edge - 1, edge, edge + 1]);

    expect(rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 2 });
    expect(await stream.range()).toEqual([edge, edge + 1]);
  });

  it('answers 200 and rejects events more than 2 hours ahead', async () => {
    await using stream = await openStream();
    const edge = startAt + 2 * hourMs;

    const { rejectedLogEventsInfo } = await stream.put([edge - 1, edge, edge + 1]);

    expect(rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 2 });
    expect(await stream.range()).toEqual([edge - 1, edge]);
  });

  it('rejects events past the retention of the group', async () => {
    await using stream = await openStream();
    stream.emulator.seed.logGroup({ logGroupName, retentionInDays: 1 });
    await stream.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: 'web' }));

    const { rejectedLogEventsInfo } = await stream.put([
      startAt - 25 * hourMs,
      startAt - 2 * hourMs,
    ]);

    expect(rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 });
    expect(await stream.range()).toEqual([startAt - 2 * hourMs, startAt - 2 * hourMs]);
  });

  it('stores nothing when every event is rejected', async () => {
    await using stream = await openStream();

    const { rejectedLogEventsInfo } = await stream.put([1, 2]);

    expect(rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 2 });
    expect(await stream.range()).toEqual([undefined, undefined]);
    expect(stream.emulator.journal.entries().at(-2)?.effect).toEqual({
      kind: 'log-events-stored',
      count: 0,
    });
  });

  it('takes old samples when told to', async () => {
    await using stream = await openStream({ maxEventAgeMs: Infinity });

    expect((await stream.put([1, 2])).rejectedLogEventsInfo).toBeUndefined();
    expect(await stream.range()).toEqual([1, 2]);
  });

  it('refuses a batch out of order, too long or too large', async () => {
    await using stream = await openStream();

    expect(await refusal(stream.put([startAt, startAt - 1]))).toEqual(
      invalid('Log events in a single PutLogEvents request must be in chronological order.'),
    );
    expect(await refusal(stream.put([startAt - 24 * hourMs - 1, startAt]))).toEqual(
      invalid(
        'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
      ),
    );
    expect(await refusal(stream.put([startAt, startAt], 'x'.repeat(524_263)))).toEqual(
      invalid('Upload too large: 1048578 bytes exceeds limit of 1048576'),
    );
    expect(await refusal(stream.put([startAt, startAt], 'x'.repeat(524_262)))).toBeUndefined();
    expect(await refusal(stream.put(Array(10_001).fill(startAt)))).toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringMatching(/Member must have length less than or equal to 10000$/),
    });
  });

  it('refuses an unknown group and an unknown stream', async () => {
    await using bench = await openBench();
    const put = (group: string) =>
      refusal(
        bench.logs.send(
          new PutLogEventsCommand({
            logGroupName: group,
            logStreamName: 'none',
            logEvents: [{ timestamp: startAt, message: 'x' }],
          }),
        ),
      );
    const missing = (message: string) => ({
      name: 'ResourceNotFoundException',
      message,
      status: 400,
    });

    expect(await put('/none')).toEqual(missing('The specified log group does not exist.'));
    expect(await put(logGroupName)).toEqual(missing('The specified log stream does not exist.'));
  });

  it('takes half of a surrogate pair for a replacement character', async () => {
    await using stream = await openStream();
    const json = `{"logGroupName":"${logGroupName}","logStreamName":"web","logEvents":[{"timestamp":${startAt},"message":"\\ud83d"}]}`;

    const { status } = await sendLogs(stream.emulator.url, 'PutLogEvents', json);

    const [group] = (await stream.logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? [];
    expect(status).toBe(200);
    expect(group?.storedBytes).toBe(3 + 26);
  });
});
