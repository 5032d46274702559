import { describe, expect, test } from 'vitest';

import { openEmulator } from '#emulator/emulator.ts';
import { openEvents } from './export-jobs/api/events.ts';
import { homes, wish } from './export-jobs/homes.ts';
import { awsAt, pollOften, readyUrl, startService } from './service-process.ts';
import { region } from './world.ts';

/** An emulator with what exports need, whose tasks go on for longer than any test. */
async function openLongEmulator() {
  const emulator = await openEmulator({ rateLimits: 'off', runningMs: 3_600_000 });
  emulator.seed.logGroup({ region, logGroupName: '/app' });
  emulator.seed.bucket({ region, bucket: 'archive' });
  return emulator;
}

function post(url: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** The path of a job that was accepted; a machine that is busy sheds the first tries. */
async function jobPath(url: string): Promise<string> {
  let location: string | null = null;
  const accept = async () => {
    location = (await post(`${url}/export-jobs`, wish)).headers.get('location');
    return location;
  };
  await expect.poll(accept, pollOften).not.toBeNull();
  return location as unknown as string;
}

describe.each(homes)('SIGTERM on %s', (_name, openHome) => {
  test('ends event streams and long polls first, all whole, and exits with 0', async () => {
    await using emulator = await openLongEmulator();
    const { databaseUrl } = await openHome();
    const run = startService({
      ...awsAt(emulator),
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    });
    const url = await readyUrl(run);
    const path = await jobPath(url);
    const running = (text: string) => text.includes('event: slice-running');
    const streams = await Promise.all(
      Array.from({ length: 60 }, () => openEvents(url, `${path}/events`)),
    );
    await expect.poll(() => streams.every((s) => running(s.text())), pollOften).toBe(true);
    const polls = Array.from({ length: 60 }, () => fetch(`${url}${path}?wait=30`));

    run.child.kill('SIGTERM');
    const answers = await Promise.all(polls);
    await Promise.all(streams.map(({ over }) => over));

    expect(await run.ended).toBe(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(streams.filter((stream) => !stream.isComplete())).toEqual([]);
    expect(run.lines()).toContainEqual(expect.objectContaining({ msg: 'stopped' }));
  });
});
