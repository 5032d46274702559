import { DeleteBucketPolicyCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import type { EmulatorOptions } from '../../src/emulator.ts';
import { bucket, logGroupName, openAws, startAt } from '../aws.ts';

type Event = { timestamp: number; message: string; ingestedAt?: number };

/** Exports streams and returns the text of each object by its key, without the task id. */
async function exportStreams(
  streams: Record<string, Event[]>,
  order: Record<string, unknown> = {},
  options: EmulatorOptions = {},
) {
  await using aws = await openAws(options);
  for (const [logStreamName, events] of Object.entries(streams)) {
    aws.emulator.seed.logEvents({ logGroupName, logStreamName, events });
  }
  const taskId = await aws.create(order);
  aws.emulator.clock.advance(5000);

  const objects: Record<string, string> = {};
  for (const Key of await aws.keys()) {
    objects[Key?.replace(taskId, 'TASK') ?? ''] = (await aws.get(Key)).text;
  }
  return objects;
}

const writeTest = { 'aws-logs-write-test': 'Permission Check Successful' };
const at = (message: string, timestamp = startAt - 1000) => ({ timestamp, message });

it('writes one gzip file per stream, with dashes for slashes and times in UTC', async () => {
  const event = at('paid', Date.UTC(2026, 2, 1, 11, 59, 58, 7));

  expect(await exportStreams({ '2026/03/01/web': [event], other: [event] })).toEqual({
    ...writeTest,
    'exportedlogs/TASK/2026-03-01-web/000000.gz': '2026-03-01T11:59:58.007Z paid\n',
    'exportedlogs/TASK/other/000000.gz': '2026-03-01T11:59:58.007Z paid\n',
  });
});

it('writes all objects under the prefix, the write test too', async () => {
  const objects = await exportStreams({ web: [at('paid')] }, { destinationPrefix: 'a/b' });

  expect(Object.keys(objects).sort()).toEqual([
    'a/b/TASK/web/000000.gz',
    'a/b/aws-logs-write-test',
  ]);
});

it('writes the write test when the task is created', async () => {
  await using aws = await openAws();

  await aws.create();

  expect(await aws.keys()).toEqual(['aws-logs-write-test']);
});

it('writes nothing for a stream without events in the range', async () => {
  const objects = await exportStreams({ web: [at('old', 1)], empty: [] });

  expect(objects).toEqual(writeTest);
});

it('exports events from the first to the last millisecond of the range', async () => {
  const [from, to] = [startAt - 2000, startAt - 1000];
  const events = [from - 1, from, to, to + 1].map((timestamp) => at(String(timestamp), timestamp));

  const { 'exportedlogs/TASK/web/000000.gz': text } = await exportStreams(
    { web: events },
    { from, to },
  );

  expect(text?.match(/\d{13}$/gm)).toEqual([String(from), String(to)]);
});

it('exports by ingestion time, without the last millisecond, with eventRange', async () => {
  const [from, to] = [startAt - 2000, startAt - 1000];
  const events = [from - 1, from, to - 1, to].map((ingestedAt) => ({
    timestamp: 1,
    message: String(ingestedAt),
    ingestedAt,
  }));

  const { 'exportedlogs/TASK/web/000000.gz': text } = await exportStreams(
    { web: events },
    { from, to },
    { eventRange: 'ingestion' },
  );

  expect(text?.match(/\d{13}$/gm)).toEqual([String(from), String(to - 1)]);
});

it.each([
  ['timestamp', 'exclusive', [0, 1]],
  ['ingestion', 'inclusive', [0, 1, 2]],
] as const)('goes by %s with the end %s when told to', async (eventRange, rangeEnd, exported) => {
  const [from, to] = [startAt - 2000, startAt - 1998];
  const events = [0, 1, 2, 3].map((at) => ({
    timestamp: eventRange === 'timestamp' ? from + at : 1,
    ingestedAt: eventRange === 'timestamp' ? 1 : from + at,
    message: String(at),
  }));

  const { 'exportedlogs/TASK/web/000000.gz': text } = await exportStreams(
    { web: events },
    { from, to },
    { eventRange, rangeEnd },
  );

  expect(text?.match(/\d$/gm)).toEqual(exported.map(String));
});

it('removes the slash at the end of a prefix from keys with keyPrefix', async () => {
  const streams = { web: [at('a')] };

  const given = await exportStreams(streams, { destinationPrefix: 'a/' });
  const trimmed = await exportStreams(
    streams,
    { destinationPrefix: 'a/' },
    { keyPrefix: 'trimmed' },
  );

  expect(Object.keys(given).sort()).toEqual(['a//TASK/web/000000.gz', 'a//aws-logs-write-test']);
  expect(Object.keys(trimmed).sort()).toEqual(['a/TASK/web/000000.gz', 'a/aws-logs-write-test']);
});

it('sorts events by timestamp and keeps the order of equal ones', async () => {
  const events = [at('third', startAt - 1), at('first', startAt - 9), at('second', startAt - 9)];

  const { 'exportedlogs/TASK/web/000000.gz': text } = await exportStreams({ web: events });

  expect(text?.match(/\w+$/gm)).toEqual(['first', 'second', 'third']);
});

it('exports only streams whose names begin with logStreamNamePrefix', async () => {
  const streams = { 'web-1': [at('a')], 'web-2': [at('b')], worker: [at('c')] };

  const objects = await exportStreams(streams, { logStreamNamePrefix: 'web-' });

  expect(Object.keys(objects)).toEqual([
    'aws-logs-write-test',
    'exportedlogs/TASK/web-1/000000.gz',
    'exportedlogs/TASK/web-2/000000.gz',
  ]);
});

it('keeps messages byte for byte', async () => {
  const messages = [
    'a\r\nb',
    'stray\rreturn',
    'tab\tand  spaces ',
    'žluťoučký 🐎\u2028',
    '{"a":"\\n"}',
  ];

  const { 'exportedlogs/TASK/web/000000.gz': text } = await exportStreams({
    web: messages.map((message) => at(message)),
  });

  expect(text).toBe(messages.map((message) => `2026-03-01T11:59:59.000Z ${message}\n`).join(''));
});

it('continues in the next file after rolloverBytes', async () => {
  const events = ['one', 'two', 'three'].map((message) => at(message));

  const objects = await exportStreams({ web: events }, {}, { rolloverBytes: 60 });

  expect(objects).toEqual({
    ...writeTest,
    'exportedlogs/TASK/web/000000.gz':
      '2026-03-01T11:59:59.000Z one\n2026-03-01T11:59:59.000Z two\n',
    'exportedlogs/TASK/web/000001.gz': '2026-03-01T11:59:59.000Z three\n',
  });
});

it('exports both of two streams whose folders have the same name', async () => {
  const objects = await exportStreams({ 'a/b': [at('slash')], 'a-b': [at('dash')] });

  expect(objects['exportedlogs/TASK/a-b/000000.gz']).toContain('slash');
  expect(objects['exportedlogs/TASK/a-b/000001.gz']).toContain('dash');
});

it('ends a file without a newline when trailingNewline is false', async () => {
  const objects = await exportStreams({ web: [at('a')] }, {}, { trailingNewline: false });

  expect(objects['exportedlogs/TASK/web/000000.gz']).toBe('2026-03-01T11:59:59.000Z a');
});

it('exports the events that existed when the task finished', async () => {
  await using aws = await openAws();
  const { seed, clock } = aws.emulator;
  const put = (message: string) =>
    seed.logEvents({ logGroupName, logStreamName: 'web', events: [at(message)] });
  put('before');
  await aws.create();

  clock.advance(1500);
  put('after');

  const [key] = await aws.keys('exportedlogs/');
  expect((await aws.get(key)).text).toBe('2026-03-01T11:59:59.000Z before\n');
});

it('ends a task FAILED when the bucket policy changes before it writes', async () => {
  await using aws = await openAws();
  const events = [{ timestamp: startAt - 1, message: 'paid' }];
  aws.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });
  const taskId = await aws.create();

  await aws.s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
  aws.emulator.clock.advance(5000);

  expect((await aws.describe(taskId))?.status).toEqual({ code: 'FAILED', message: 'FAILED' });
});
