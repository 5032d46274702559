import { describe, expect, test } from 'vitest';

import type { Problem } from '#problems/problem.ts';
import { openWorld, region } from '../../world.ts';

const accountId = '123456789012';
const topicArn = `arn:aws:sns:${region}:${accountId}:jobs`;
const busArn = `arn:aws:events:${region}:${accountId}:event-bus/exports`;
const message = {
  id: 'msg_1',
  type: 'export_job.completed',
  at: Date.UTC(2026, 0, 1),
  target: 'default',
  group: 'job-1',
  body: '{"type":"export_job.completed"}',
};

/** A target with a topic, and what has arrived at it. */
async function openSinks() {
  const world = await openWorld();
  for (const name of ['jobs', 'jobs.fifo']) world.emulator.seed.topic({ name, region });
  const { sinks } = world.targets.find(undefined);
  const entriesOf = (operation: string) =>
    world.emulator.journal.entries().filter((entry) => entry.operation === operation);
  return {
    ...sinks,
    entriesOf,
    audited: () => world.audit.filter(({ service }) => service === 'sns' || service === 'events'),
    faults: world.emulator.faults,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

const problemOf = (call: Promise<void>) =>
  call.then(
    () => undefined,
    (problem: Problem) => problem,
  );

describe('publish', () => {
  test('sends the body with attributes that subscriptions can filter by', async () => {
    await using sinks = await openSinks();

    await sinks.publish(topicArn, message);

    expect(sinks.entriesOf('Publish').map(({ effect }) => effect)).toEqual([
      expect.objectContaining({
        topicArn,
        message: message.body,
        attributes: { id: 'msg_1', type: message.type, target: 'default' },
      }),
    ]);
    expect(sinks.audited()).toEqual([
      expect.objectContaining({
        service: 'sns',
        operation: 'Publish',
        principal: 'log-export-gateway',
        outcome: 'ok',
        awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      }),
    ]);
  });

  test('keeps the order of a job in a FIFO topic, which drops a message that is sent again', async () => {
    await using sinks = await openSinks();

    await sinks.publish(`${topicArn}.fifo`, message);
    await sinks.publish(`${topicArn}.fifo`, message);

    const [first, again] = sinks.entriesOf('Publish');
    expect(first?.input).toMatchObject({
      MessageGroupId: 'job-1',
      MessageDeduplicationId: 'msg_1',
    });
    expect([first?.effect?.kind, again?.effect]).toEqual(['message-published', undefined]);
  });

  test('fails with the code of AWS, after one attempt', async () => {
    await using sinks = await openSinks();
    sinks.faults.add({ operation: 'Publish', kind: 'error', code: 'InternalFailure' });

    const failed = await problemOf(sinks.publish(topicArn, message));
    const missing = await problemOf(sinks.publish(`${topicArn}-2`, message));

    expect(failed?.slug).toBe('aws-unavailable');
    expect(missing?.members.awsErrorCode).toBe('NotFoundException');
    expect(sinks.entriesOf('Publish')).toHaveLength(2);
    expect(sinks.audited().map(({ outcome }) => outcome)).toEqual([
      'InternalFailure',
      'NotFoundException',
    ]);
  });
});

test.each(['', '<html>proxy</html>'])(
  'publish fails if a status 200 has no id: %j',
  async (body) => {
    await using sinks = await openSinks();
    sinks.faults.add({ operation: 'Publish', kind: 'replace-body', body });

    const problem = await problemOf(sinks.publish(topicArn, message));

    expect(problem?.slug).toBe('aws-unexpected');
  },
);

describe('putEvent', () => {
  test('sends the body as the detail of an event', async () => {
    await using sinks = await openSinks();

    await sinks.putEvent(busArn, message);

    const [entry] = sinks.entriesOf('PutEvents');
    expect(entry?.effect).toMatchObject({
      events: [
        {
          bus: busArn,
          source: 'log-export-gateway',
          detailType: message.type,
          detail: message.body,
        },
      ],
    });
    expect(entry?.input).toMatchObject({ Entries: [{ Time: message.at / 1_000 }] });
  });

  test('fails when AWS answers 200 and has refused the event', async () => {
    await using sinks = await openSinks();
    const code = 'ThrottlingException';
    sinks.faults.add({ operation: 'PutEvents', kind: 'entries-fail', code });

    const problem = await problemOf(sinks.putEvent(busArn, message));

    expect(problem?.members.awsErrorCode).toBe(code);
    expect(sinks.audited().map(({ outcome }) => outcome)).toEqual([code]);
  });
});
