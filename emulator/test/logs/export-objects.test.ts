import { DeleteBucketPolicyCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import type { EmulatorOptions } from '../../src/emulator.ts';
import { bucket, logGroupName, openBench, startAt } from '../bench.ts';

type Event = { timestamp: number; message: string; ingestedAt?: number };

/** Exports streams and reads every object back, by key without the task's id. */
async function exportStreams(
  streams: Record<string, Event[]>,
  order: Record<string, unknown> = {},
  options: EmulatorOptions = {},
) {
  await using bench = await openBench(options);
  for (const [logStreamName, events] of Object.entries(streams)) {
    bench.emulator.seed.logEvents({ logGroupName, logStreamName, events });
  }
  const taskId = await bench.create(order);
  bench.emulator.clock.advance(5000);

  const objects: Record<string, string> = {};
  for (const Key of await bench.keys()) {
    objects[Key?.replace(taskId, 'TASK') ?? ''] = (await bench.get(Key)).text;
  }
  return objects;
}

const writeTest = { 'aws-logs-write-test': 'Permission Check Successful' };
const at = (message: string, timestamp = startAt - 1000) => ({ timestamp, message });

it('writes one gzip file a stream, slashes as dashes, times in UTC with milliseconds', async () => {
  const event = at('paid', Date.UTC(2026, 2, 1, 11, 59, 58, 7));

  expect(await exportStreams({ '2026/03/01/web': [event], other: [event] })).toEqual({
    ...writeTest,
    'exportedlogs/TASK/2026-03-01-web/000000.gz': '2026-03-01T11:59:58.007Z paid\n',
    'exportedlogs/TASK/other/000000.gz': '2026-03-01T11:59:58.007Z paid\n',
  });
});

it('puts everything under the prefix when one is given, the write test too', async () => {
  const objects = await exportStreams({ web: [at('paid')] }, { destinationPrefix: 'a/b' });

  expect(Object.keys(objects).sort()).toEqual([
    'a/b/TASK/web/000000.gz',
    'a/b/aws-logs-write-test',
  ]);
});

it('leaves the write test as soon as the task is created', async () => {
  await using bench = await openBench();

  await bench.create();

  expect(await bench.keys()).toEqual(['aws-logs-write-test']);
});

it('writes nothing for a stream without events in the range', async () => {
  const objects = await exportStreams({ web: [at('old', 1)], empty: [] });

  expect(objects).toEqual(writeTest);
});

it('takes events from the first to the last millisecond of the range', async () => {
  const [from, to] = [startAt - 2000, startAt - 1000];
  const events = [from - 1, from, to, to + 1].map((timestamp) => at(String(timestamp), timestamp));

  const { 'exportedlogs/TASK/web/000000.gz': text } = await exportStreams(
    { web: events },
    { from, to },
  );

  expect(text?.match(/\d{13}$/gm)).toEqual([String(from), String(to)]);
});

it('goes by ingestion time, without the last millisecond, when told to', async () => {
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

it('trims the slash at the end of a prefix from keys when told to', async () => {
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

it('sorts by timestamp and keeps the order of equal ones', async () => {
  const events = [at('third', startAt - 1), at('first', startAt - 9), at('second', startAt - 9)];

  const { 'exportedlogs/TASK/web/000000.gz': text } = await exportStreams({ web: events });

  expect(text?.match(/\w+$/gm)).toEqual(['first', 'second', 'third']);
});

it('exports only streams that begin with the prefix', async () => {
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

it('goes on in a next file when one is full', async () => {
  const events = ['one', 'two', 'three'].map((message) => at(message));

  const objects = await exportStreams({ web: events }, {}, { rolloverBytes: 60 });

  expect(objects).toEqual({
    ...writeTest,
    'exportedlogs/TASK/web/000000.gz':
      '2026-03-01T11:59:59.000Z one\n2026-03-01T11:59:59.000Z two\n',
    'exportedlogs/TASK/web/000001.gz': '2026-03-01T11:59:59.000Z three\n',
  });
});

it('loses nothing of two streams whose folders have the same name', async () => {
  const objects = await exportStreams({ 'a/b': [at('slash')], 'a-b': [at('dash')] });

  expect(objects['exportedlogs/TASK/a-b/000000.gz']).toContain('slash');
  expect(objects['exportedlogs/TASK/a-b/000001.gz']).toContain('dash');
});

it('ends without a newline when told to', async () => {
  const objects = await exportStreams({ web: [at('a')] }, {}, { trailingNewline: false });

  expect(objects['exportedlogs/TASK/web/000000.gz']).toBe('2026-03-01T11:59:59.000Z a');
});

it('exports what had been ingested when the task finished, whenever somebody looks', async () => {
  await using bench = await openBench();
  const { seed, clock } = bench.emulator;
  const put = (message: string) =>
    seed.logEvents({ logGroupName, logStreamName: 'web', events: [at(message)] });
  put('before');
  await bench.create();

  clock.advance(1500);
  put('after');

  const [key] = await bench.keys('exportedlogs/');
  expect((await bench.get(key)).text).toBe('2026-03-01T11:59:59.000Z before\n');
});

it('fails a task whose bucket is closed to CloudWatch Logs before it has written', async () => {
  await using bench = await openBench();
  const events = [{ timestamp: startAt - 1, message: 'paid' }];
  bench.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });
  const taskId = await bench.create();

  await bench.s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
  bench.emulator.clock.advance(5000);

  expect((await bench.describe(taskId))?.status).toEqual({ code: 'FAILED', message: 'FAILED' });
});
