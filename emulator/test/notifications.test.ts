import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../src/emulator.ts';
import { openAws, refusal, sendRaw } from './aws.ts';

const account = '123456789012';
const topicArn = `arn:aws:sns:us-east-1:${account}:jobs`;
const fifoArn = `${topicArn}.fifo`;
const busArn = `arn:aws:events:us-east-1:${account}:event-bus/exports`;

/** Opens an emulator with a topic of each kind, and clients of the real SDK. */
async function openSinks(options: EmulatorOptions = {}) {
  const aws = await openAws(options);
  expect(aws.emulator.seed.topic({ name: 'jobs' })).toBe(topicArn);
  aws.emulator.seed.topic({ name: 'jobs.fifo' });
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
  const config = { endpoint: aws.emulator.url, region: 'us-east-1', credentials, maxAttempts: 1 };
  const sns = new SNSClient(config);
  const bridge = new EventBridgeClient(config);
  return {
    ...aws,
    publish: (input: Partial<PublishCommandInput> = {}) =>
      sns.send(new PublishCommand({ TopicArn: topicArn, Message: 'hello', ...input })),
    put: (...Entries: NonNullable<PutEventsCommand['input']['Entries']>) =>
      bridge.send(new PutEventsCommand({ Entries })),
    effects: () => aws.emulator.journal.entries().map(({ effect }) => effect),
    async [Symbol.asyncDispose]() {
      sns.destroy();
      bridge.destroy();
      await aws[Symbol.asyncDispose]();
    },
  };
}

const entry = {
  Source: 'log-export-gateway',
  DetailType: 'export_job.completed',
  Detail: '{"a":1}',
  EventBusName: busArn,
};

describe('Publish', () => {
  it('stores a message with its attributes in the journal', async () => {
    await using aws = await openSinks();

    const { MessageId } = await aws.publish({
      Message: 'a < b & "c"\n',
      MessageAttributes: { type: { DataType: 'String', StringValue: 'export_job.completed' } },
    });

    expect(MessageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(aws.effects()).toEqual([
      {
        kind: 'message-published',
        topicArn,
        messageId: MessageId,
        message: 'a < b & "c"\n',
        attributes: { type: 'export_job.completed' },
      },
    ]);
  });

  it('takes the topic as TargetArn too', async () => {
    await using aws = await openSinks();

    await aws.publish({ TopicArn: undefined, TargetArn: topicArn, Message: 'x' });

    expect(aws.effects()).toMatchObject([{ topicArn, message: 'x' }]);
  });

  it('delivers a deduplication id of a FIFO topic once within five minutes', async () => {
    await using aws = await openSinks();
    const once = { TopicArn: fifoArn, MessageGroupId: 'job', MessageDeduplicationId: 'event' };

    const first = await aws.publish(once);
    const again = await aws.publish(once);
    aws.emulator.clock.advance(300_000);
    const later = await aws.publish(once);

    expect(again.MessageId).toBe(first.MessageId);
    expect(later.MessageId).not.toBe(first.MessageId);
    expect([first.SequenceNumber, later.SequenceNumber]).toEqual([
      '00000000000000000001',
      '00000000000000000002',
    ]);
    expect(aws.effects().map((effect) => effect?.kind)).toEqual([
      'message-published',
      undefined,
      'message-published',
    ]);
  });

  it.each([
    [{ TopicArn: undefined }, 'TopicArn or TargetArn Reason: no value for required parameter'],
    [{ TopicArn: 'jobs' }, 'TopicArn Reason: An ARN must have at least 6 elements, not 1'],
    [{ TopicArn: topicArn.replace('us-east-1', 'eu-west-1') }, 'TopicArn'],
    [{ Message: '' }, 'Empty message'],
    [{ Message: 'é'.repeat(131_073) }, 'Message too long'],
    [{ Subject: 'two\nlines' }, 'Subject'],
    [{ TopicArn: fifoArn }, 'The MessageGroupId parameter is required for FIFO topics'],
    [{ TopicArn: fifoArn, MessageGroupId: 'g' }, 'The topic should either have ContentBased'],
  ])('rejects %o', async (input, message) => {
    await using aws = await openSinks();

    const refused = await refusal(aws.publish(input as Partial<PublishCommandInput>));

    expect(refused).toMatchObject({ name: 'InvalidParameterException', status: 400 });
    expect(refused?.message).toContain(`Invalid parameter: ${message}`);
    expect(aws.effects()).toEqual([undefined]);
  });

  it('rejects an attribute without a type or a value', async () => {
    await using aws = await openSinks();
    const withAttribute = (DataType: string, StringValue: string) =>
      refusal(aws.publish({ MessageAttributes: { a: { DataType, StringValue } } }));

    for (const refused of [await withAttribute('', 'x'), await withAttribute('String', '')]) {
      expect(refused?.name).toBe('InvalidParameterValueException');
      expect(refused?.message).toMatch(/^The message attribute 'a' must contain non-empty/);
    }
  });

  it('rejects a topic that does not exist, denied actions and unknown operations', async () => {
    await using aws = await openSinks({ deniedActions: { AKIADENIED: ['sns:*'] } });
    const missing = await refusal(aws.publish({ TopicArn: `${topicArn}-2` }));
    aws.emulator.options.change({ deniedActions: { '*': ['sns:Publish'] } });
    const denied = await refusal(aws.publish());
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const unknown = await sendRaw(aws.emulator.url, 'Action=Subscribe', {
      service: 'sns',
      headers,
    });

    expect(missing).toEqual({
      name: 'NotFoundException',
      message: 'Topic does not exist',
      status: 404,
    });
    expect(denied).toEqual({
      name: 'AuthorizationErrorException',
      message: `User: arn:aws:iam::${account}:user/emulated is not authorized to perform: SNS:Publish on resource: ${topicArn} because no identity-based policy allows the SNS:Publish action`,
      status: 403,
    });
    expect(unknown.text).toContain('<Code>InvalidAction</Code>');
  });
});

describe('PutEvents', () => {
  it('stores events in the journal', async () => {
    await using aws = await openSinks();

    const { FailedEntryCount, Entries } = await aws.put(
      { ...entry, Time: new Date(), Resources: ['arn:one'] },
      { ...entry, EventBusName: undefined },
    );

    const ids = Entries?.map(({ EventId }) => EventId);
    expect(FailedEntryCount).toBe(0);
    expect(aws.effects()).toEqual([
      {
        kind: 'events-put',
        events: [busArn, `arn:aws:events:us-east-1:${account}:event-bus/default`].map(
          (bus, index) => ({
            eventId: ids?.[index],
            bus,
            source: entry.Source,
            detailType: entry.DetailType,
            detail: entry.Detail,
          }),
        ),
      },
    ]);
  });

  it('answers 200 with the codes of the entries that fail', async () => {
    await using aws = await openSinks();

    const { FailedEntryCount, Entries } = await aws.put(
      entry,
      { ...entry, Source: undefined },
      { ...entry, Source: 'aws.logs' },
      { ...entry, Detail: '[]' },
      { ...entry, Detail: '{' },
      { ...entry, DetailType: '' },
    );

    expect(FailedEntryCount).toBe(5);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'InvalidArgument',
      'NotAuthorizedForSourceException',
      'MalformedDetail',
      'MalformedDetail',
      'InvalidArgument',
    ]);
    expect(Entries?.[5]?.ErrorMessage).toBe(
      'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
    );
  });

  it('lets entries fail under a fault', async () => {
    await using aws = await openSinks();
    const code = 'ThrottlingException';
    aws.emulator.faults.add({ operation: 'PutEvents', kind: 'entries-fail', failed: 1, code });
    aws.emulator.faults.add({ operation: 'PutEvents', kind: 'entries-fail' });

    const some = await aws.put(entry, entry);
    const all = await aws.put(entry, entry);

    expect(some.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([code, undefined]);
    expect(all.FailedEntryCount).toBe(2);
    expect(all.Entries?.[0]?.ErrorCode).toBe('InternalFailure');
  });

  it('rejects none, more than ten and too large entries, and denied actions', async () => {
    await using aws = await openSinks();
    const large = { ...entry, Detail: JSON.stringify({ a: 'x'.repeat(262_144) }) };
    const refused = [
      await refusal(aws.put()),
      await refusal(aws.put(...Array.from({ length: 11 }, () => entry))),
      await refusal(aws.put(large)),
    ];
    aws.emulator.options.change({ deniedActions: { '*': ['events:PutEvents'] } });

    expect(refused.map((error) => error?.name)).toEqual(Array(3).fill('ValidationException'));
    expect(await refusal(aws.put(entry))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`events:PutEvents on resource: ${busArn}`),
    });
  });
});
