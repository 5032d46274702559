import {
  DeleteLogStreamCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../../src/emulator.ts';
import { logGroupName, openAws, refusal, startAt } from '../aws.ts';

/** Streams `web` and `worker`. Each event has its number of milliseconds after `startAt`. */
async function openStreams(options: EmulatorOptions = {}) {
  const aws = await openAws(options);
  const put = (logStreamName: string, ...events: [at: number, message: string][]) =>
    aws.emulator.seed.logEvents({
      logGroupName,
      logStreamName,
      events: events.map(([at, message]) => ({ timestamp: startAt + at, message })),
    });
  put('web', [3, 'third'], [1, 'first ERROR'], [2, 'second'], [5, 'fifth ERROR disk']);
  put('worker', [2, 'job one'], [4, 'job two ERROR']);
  const get = (input: Partial<GetLogEventsCommandInput> = {}) =>
    aws.logs.send(new GetLogEventsCommand({ logGroupName, logStreamName: 'web', ...input }));
  const filter = (input: Partial<FilterLogEventsCommandInput> = {}) =>
    aws.logs.send(new FilterLogEventsCommand({ logGroupName, ...input }));
  return { ...aws, get, filter };
}

const times = (page: { events?: { timestamp?: number | undefined }[] | undefined }) =>
  page.events?.map(({ timestamp = 0 }) => timestamp - startAt);

describe('GetLogEvents', () => {
  it('returns the events of a stream by time, from the start or the latest', async () => {
    await using aws = await openStreams();

    const [all, head, tail] = [
      await aws.get(),
      await aws.get({ startFromHead: true, limit: 2 }),
      await aws.get({ limit: 2 }),
    ];

    expect(all.events?.[0]).toEqual({
      timestamp: startAt + 1,
      message: 'first ERROR',
      ingestionTime: startAt,
    });
    expect([all, head, tail].map(times)).toEqual([
      [1, 2, 3, 5],
      [1, 2],
      [3, 5],
    ]);
  });

  it('pages in both directions, and repeats the token at an end', async () => {
    await using aws = await openStreams();

    const first = await aws.get({ startFromHead: true, limit: 3 });
    const second = await aws.get({ nextToken: first.nextForwardToken, limit: 3 });
    const end = await aws.get({ nextToken: second.nextForwardToken });
    const back = await aws.get({ nextToken: second.nextBackwardToken, limit: 2 });
    const start = await aws.get({ nextToken: first.nextBackwardToken });

    expect([second, end, back, start].map(times)).toEqual([[5], [], [2, 3], []]);
    expect(end.nextForwardToken).toBe(second.nextForwardToken);
    expect(start.nextBackwardToken).toBe(first.nextBackwardToken);
  });

  it('includes the start of a time range and excludes its end', async () => {
    await using aws = await openStreams();

    const page = await aws.get({ startTime: startAt + 2, endTime: startAt + 5 });

    expect(times(page)).toEqual([2, 3]);
  });

  it.each([
    [{ limit: 10_001 }, "Value '10001' at 'limit' failed to satisfy constraint"],
    [{ nextToken: 'f/1/s' }, 'The specified nextToken is invalid.'],
  ])('rejects %j', async (input, reason) => {
    await using aws = await openStreams();

    expect(await refusal(aws.get(input))).toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(reason),
    });
  });
});

describe('FilterLogEvents', () => {
  it('returns the events of all streams by time, in pages', async () => {
    await using aws = await openStreams();

    const first = await aws.filter({ limit: 4 });
    const second = await aws.filter({ limit: 4, nextToken: first.nextToken });

    expect([first, second].map(times)).toEqual([
      [1, 2, 2, 3],
      [4, 5],
    ]);
    expect(second.nextToken).toBeUndefined();
    const ids = [first, second].flatMap(({ events = [] }) => events.map((event) => event.eventId));
    expect(new Set(ids).size).toBe(6);
    expect(first.events?.[2]).toMatchObject({ logStreamName: 'worker', message: 'job one' });
  });

  it('includes both ends of a time range', async () => {
    await using aws = await openStreams();

    const page = await aws.filter({ startTime: startAt + 2, endTime: startAt + 4 });

    expect(times(page)).toEqual([2, 2, 3, 4]);
  });

  it.each<[Partial<FilterLogEventsCommandInput>, number[]]>([
    [{ logStreamNames: ['worker'] }, [2, 4]],
    [{ logStreamNamePrefix: 'we' }, [1, 2, 3, 5]],
    [{ filterPattern: 'ERROR' }, [1, 4, 5]],
    [{ filterPattern: 'ERROR disk' }, [5]],
    [{ filterPattern: '?first ?third' }, [1, 3]],
    [{ filterPattern: 'ERROR -job' }, [1, 5]],
    [{ filterPattern: '"job two"' }, [4]],
  ])('filters by %j', async (input, found) => {
    await using aws = await openStreams();

    expect(times(await aws.filter(input))).toEqual(found);
  });

  it.each<Partial<FilterLogEventsCommandInput>>([
    { filterPattern: '{ $.level = "error" }' },
    { logStreamNames: ['web'], logStreamNamePrefix: 'w' },
  ])('rejects %j', async (input) => {
    await using aws = await openStreams();

    expect(await refusal(aws.filter(input))).toMatchObject({ name: 'InvalidParameterException' });
  });
});

it('DeleteLogStream removes the events of the stream', async () => {
  await using aws = await openStreams();
  const stored = async () => {
    const { logGroups } = await aws.logs.send(new DescribeLogGroupsCommand({}));
    return logGroups?.[0]?.storedBytes;
  };

  for (const logStreamName of ['web', 'worker']) {
    expect(await stored()).toBeGreaterThan(0);
    await aws.logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName }));
  }

  expect(await stored()).toBe(0);
  expect(await refusal(aws.get())).toMatchObject({
    message: 'The specified log stream does not exist.',
  });
});

describe('a token stays at its place', () => {
  const dayMs = 86_400_000;

  it('when an older event is put', async () => {
    await using aws = await openStreams();
    const [got, filtered] = [
      await aws.get({ startFromHead: true, limit: 3 }),
      await aws.filter({ limit: 4 }),
    ];

    const events = [{ timestamp: startAt, message: 'late' }];
    aws.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });

    expect(times(await aws.get({ nextToken: got.nextForwardToken }))).toEqual([5]);
    expect(times(await aws.get({ nextToken: got.nextBackwardToken }))).toEqual([0]);
    expect(times(await aws.filter({ nextToken: filtered.nextToken }))).toEqual([4, 5]);
  });

  it('when events before it expire', async () => {
    await using aws = await openStreams();
    aws.emulator.seed.logGroup({ logGroupName, retentionInDays: 1 });
    const events = [1, 2, 3, 4].map((at) => ({
      timestamp: startAt - dayMs + at,
      message: String(at),
    }));
    aws.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });
    const [got, filtered] = [
      await aws.get({ startFromHead: true, limit: 2 }),
      await aws.filter({ limit: 2 }),
    ];

    aws.emulator.clock.advance(3);

    const rest = [3 - dayMs, 4 - dayMs];
    expect(times(await aws.get({ nextToken: got.nextForwardToken }))).toEqual(rest);
    expect(times(await aws.filter({ nextToken: filtered.nextToken }))).toEqual(rest);
  });
});

describe('FilterLogEvents with emptyEventPages', () => {
  it('returns pages without events before each page', async () => {
    await using aws = await openStreams({ emptyEventPages: 2 });

    const counts = [];
    let nextToken: string | undefined;
    do {
      const page = await aws.filter({ limit: 4, nextToken });
      counts.push(page.events?.length);
      nextToken = page.nextToken;
    } while (nextToken);

    expect(counts).toEqual([0, 0, 4, 0, 0, 2]);
  });
});

describe('events older than the retention of their group', () => {
  const dayMs = 86_400_000;
  const openOld = async (options: EmulatorOptions) => {
    const aws = await openAws(options);
    aws.emulator.seed.logGroup({ logGroupName, retentionInDays: 7 });
    const events = [7 * dayMs + 1, 7 * dayMs].map((age) => ({
      timestamp: startAt - age,
      message: String(age),
    }));
    aws.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });
    return aws;
  };

  it.each([
    ['hidden', 1],
    ['kept', 2],
  ] as const)('are %s for reads and exports', async (expiredEvents, count) => {
    await using aws = await openOld({ expiredEvents, pendingMs: 0, runningMs: 0 });

    const filtered = await aws.logs.send(new FilterLogEventsCommand({ logGroupName }));
    const got = await aws.logs.send(
      new GetLogEventsCommand({ logGroupName, logStreamName: 'web' }),
    );
    await aws.create({ from: 0 });
    const [key] = await aws.keys('exportedlogs/');

    expect(filtered.events).toHaveLength(count);
    expect(got.events).toHaveLength(count);
    expect((await aws.get(key)).text.trim().split('\n')).toHaveLength(count);
  });
});
