import {
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroupName, openAws, refusal, sendLogs, startAt } from '../aws.ts';

const hourMs = 3_600_000;
const invalid = (message: string) => ({ name: 'InvalidParameterException', message, status: 400 });

describe('PutLogEvents', () => {
  async function openStream(options: Parameters<typeof openAws>[0] = {}) {
    const aws = await openAws(options);
    const logStreamName = 'web';
    await aws.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    return {
      ...aws,
      put: (timestamps: number[], message = 'x') =>
        aws.logs.send(
          new PutLogEventsCommand({
            logGroupName,
            logStreamName,
            logEvents: timestamps.map((timestamp) => ({ timestamp, message })),
          }),
        ),
      async range() {
        const list = new DescribeLogStreamsCommand({ logGroupName });
        const [stream] = (await aws.logs.send(list)).logStreams ?? [];
        return [stream?.firstEventTimestamp, stream?.lastEventTimestamp];
      },
    };
  }

  it('stores events and returns a sequence token', async () => {
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

  it('rejects events older than the retention of the group', async () => {
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

  it('accepts old events with maxEventAgeMs', async () => {
    await using stream = await openStream({ maxEventAgeMs: Infinity });

    expect((await stream.put([1, 2])).rejectedLogEventsInfo).toBeUndefined();
    expect(await stream.range()).toEqual([1, 2]);
  });

  it('rejects a batch that is out of order, too long or too large', async () => {
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

  it('rejects an unknown group and an unknown stream', async () => {
    await using aws = await openAws();
    const put = (group: string) =>
      refusal(
        aws.logs.send(
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

  it('stores a replacement character for half of a surrogate pair', async () => {
    await using stream = await openStream();
    const json = `{"logGroupName":"${logGroupName}","logStreamName":"web","logEvents":[{"timestamp":${startAt},"message":"\\ud83d"}]}`;

    const { status } = await sendLogs(stream.emulator.url, 'PutLogEvents', json);

    const [group] = (await stream.logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? [];
    expect(status).toBe(200);
    expect(group?.storedBytes).toBe(3 + 26);
  });
});
