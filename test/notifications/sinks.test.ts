import { expect, test } from 'vitest';

import { storageBackends } from '../export-jobs/storage-backends.ts';
import { openWorld, region } from '../world.ts';
import { openPost } from './open-post.ts';

const [[, openSqlite]] = storageBackends as [(typeof storageBackends)[number]];
const topicArn = `arn:aws:sns:${region}:123456789012:jobs`;
const busArn = `arn:aws:events:${region}:123456789012:event-bus/exports`;

test('the topic and the event bus of a target get its events, again after a failure', async () => {
  await using world = await openWorld();
  const { journal, faults, seed } = world.emulator;
  seed.topic({ name: 'jobs', region });
  faults.add({ operation: 'PutEvents', kind: 'entries-fail' });
  const { sinks } = world.targets.find(undefined);
  const sinkArns = { sns: topicArn, 'event-bus': busArn };
  await using post = await openPost(openSqlite);
  post.open({
    targets: {
      find: () => ({ sinks, sinkArns }),
      listSinks: () => [{ target: 'prod', kinds: ['sns', 'event-bus'] }],
    },
  });
  await post.time.runFor(1_000);

  const jobId = await post.endJob();
  await post.endJob({ target: 'elsewhere' });
  await post.time.runFor(60_000);

  const effects = journal.entries().flatMap(({ effect }) => effect ?? []);
  const published = effects.find(({ kind }) => kind === 'message-published');
  const put = effects.find(({ kind }) => kind === 'events-put');
  if (published?.kind !== 'message-published' || put?.kind !== 'events-put') {
    throw new Error('nothing has arrived');
  }
  const message = JSON.parse(published.message);
  expect(message).toMatchObject({
    id: expect.stringMatching(/^msg_/),
    type: 'export_job.completed',
    data: { jobId, target: 'prod', state: 'completed', caller: 'alice' },
  });
  expect(put.events).toMatchObject([{ bus: busArn, detailType: message.type }]);
  expect(JSON.parse(put.events[0]?.detail ?? '')).toEqual(message);
  expect(effects).toHaveLength(2);
  expect((await post.deliveries('event-bus:prod'))[0]).toMatchObject({
    state: 'delivered',
    tries: 2,
  });
  expect(post.log).toContainEqual(
    expect.objectContaining({
      msg: 'failed to deliver a notification, retrying',
      target: 'prod',
      reason: 'InternalFailure',
    }),
  );
});
