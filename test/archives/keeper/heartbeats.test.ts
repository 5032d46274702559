import { expect, test } from 'vitest';

import type { HeartbeatResult } from '#archives/heartbeat/heartbeat-sender.ts';
import { dayMs, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;
const heartbeatUrl = 'https://beats.example.com/ping/s3cr3t';

test('heartbeats are sent while an archive is current, at most every five minutes', async () => {
  const sentAt: number[] = [];
  await using kept = await openKeptArchives({
    sendHeartbeat: async (url) => {
      expect(url).toBe(heartbeatUrl);
      sentAt.push((kept.now() - start) / minuteMs);
      return { outcome: 'delivered', origin: 'https://beats.example.com' };
    },
  });
  kept.seed('/app');
  const archive = { logGroupNames: ['/app'], fromAt: start, heartbeatUrl };
  const id = await kept.accept(archive);
  const lookFor = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await kept.look();
      kept.advance(minuteMs);
    }
  };

  await lookFor(12);
  const whileCurrent = sentAt.splice(0);
  await kept.change(id, { pausedAt: kept.now(), pauseReason: 'test', pausedBy: 'test' });
  await lookFor(12);
  const whilePaused = sentAt.splice(0);
  await kept.change(id, { pausedAt: null });
  kept.advance(2 * dayMs); // a partition is due, and not covered
  await lookFor(12);

  expect(whileCurrent[0]).toBe(0);
  expect(whileCurrent.length).toBeGreaterThan(1);
  for (const [index, at] of whileCurrent.slice(1).entries()) {
    expect(at - (whileCurrent[index] ?? 0)).toBeGreaterThanOrEqual(5);
  }
  expect(whilePaused).toEqual([]);
  expect(sentAt).toEqual([]);
});

test('a heartbeat without an answer delays no look, and its log line has the origin only', async () => {
  const answer = Promise.withResolvers<HeartbeatResult>();
  await using kept = await openKeptArchives({ sendHeartbeat: () => answer.promise });
  kept.seed('/app');
  const id = await kept.accept({ logGroupNames: ['/app'], fromAt: start, heartbeatUrl });

  await kept.look();
  const { heartbeatAt, looks } = await kept.archive(id);
  answer.resolve({ outcome: 'failed', origin: 'https://beats.example.com', reason: 'timeout' });
  await new Promise(setImmediate);

  expect([heartbeatAt, looks]).toEqual([kept.now(), 1]);
  const facts = { origin: 'https://beats.example.com', reason: 'timeout' };
  const text = 'failed to send the heartbeat of an archive';
  expect(kept.log).toContainEqual(expect.objectContaining({ level: 'warn', ...facts, text }));
  expect(JSON.stringify(kept.log)).not.toContain('s3cr3t');
});
