import { type Emulator, openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { pointSdkAt, region } from '../world.ts';
import { openLogs } from './open-logs.ts';

const emptyEventPages = 2;
const logGroupName = '/app';
const at = Date.parse('2026-11-20T00:00:00.500Z');

let emulator: Emulator;
let logs: CloudWatchLogs & Disposable;
beforeAll(async () => {
  emulator = await openEmulator({ rateLimits: 'off', emptyEventPages });
  pointSdkAt(emulator.url);
  emulator.seed.logGroup({
    region,
    logGroupName,
    createdAt: at,
    logGroupClass: 'INFREQUENT_ACCESS',
    retentionInDays: 30,
    retentionPolicyName: 'of-the-account',
    isDeletionProtected: true,
  });
  emulator.seed.logGroup({ region, logGroupName: '/plain', createdAt: at });
  for (const logStreamName of ['web/1', 'web/2', 'worker']) {
    const events = [0, 1].map((index) => ({ timestamp: at + index, message: `event ${index}` }));
    emulator.seed.logEvents({ region, logGroupName: '/plain', logStreamName, events });
  }
  logs = openLogs();
});
afterAll(async () => {
  logs[Symbol.dispose]();
  await emulator.close();
});

/** Reads all pages of a query of events: the events of each page. */
async function pagesOf(query: Partial<Parameters<CloudWatchLogs['filterLogEvents']>[0]>) {
  const pages: number[] = [];
  for (let nextToken: string | undefined; ; ) {
    const window = { logGroupName: '/plain', from: at, to: at + 1, limit: 10_000 };
    const page = await logs.filterLogEvents({ ...window, ...query, nextToken });
    pages.push(page.events);
    nextToken = page.nextToken;
    if (nextToken === undefined) return pages;
  }
}

describe('a log group', () => {
  test('has its class, creation, retention and protection, if AWS shows them', async () => {
    const { logGroups } = await logs.describeLogGroups({});

    expect(logGroups).toEqual([
      {
        logGroupName,
        storedBytes: 0,
        logGroupClass: 'INFREQUENT_ACCESS',
        creationTime: at,
        retentionInDays: 30,
        retentionPolicyName: 'of-the-account',
        isDeletionProtected: true,
      },
      {
        logGroupName: '/plain',
        storedBytes: expect.any(Number),
        logGroupClass: 'STANDARD',
        creationTime: at,
        isDeletionProtected: false,
      },
    ]);
  });
});

describe('events of a log group', () => {
  test('count page by page, also behind empty pages', async () => {
    expect(await pagesOf({})).toEqual([0, 0, 6]);
    expect(await pagesOf({ limit: 4 })).toEqual([0, 0, 4, 0, 0, 2]);
  });

  test('match the window with both ends, and the streams with a prefix', async () => {
    expect(await pagesOf({ to: at })).toEqual([0, 0, 3]);
    expect(await pagesOf({ from: at + 2, to: at + 9 })).toEqual([0, 0, 0]);
    expect(await pagesOf({ logStreamNamePrefix: 'web/' })).toEqual([0, 0, 4]);
  });

  test('of a log group that does not exist are a problem', async () => {
    await expect(pagesOf({ logGroupName: '/none' })).rejects.toMatchObject({
      slug: 'log-group-not-found',
    });
  });
});

describe('a query of CloudWatch Logs Insights', () => {
  test('counts the events of a window', async () => {
    const { queryId } = await logs.startQuery({
      logGroupName: '/plain',
      from: Math.floor(at / 1_000),
      to: Math.ceil(at / 1_000),
      queryString: 'stats count(*) as events',
    });

    const read = async () => {
      await emulator.clock.advance(1_000);
      return logs.readQuery(queryId);
    };

    await expect.poll(read).toMatchObject({ status: 'Complete', rows: [{ events: '6' }] });
  });
});
