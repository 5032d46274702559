import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { type LineSink, openLineSink } from '#telemetry/line-sink.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { temporaryDir } from '../database/homes.ts';
import { readExposition } from './metrics/exposition.ts';

/** Opens a log in a file that reports its lost lines to itself. Each read of its clock sets it forward by `stepMs`. */
function openOwnLog(path: string) {
  const texts: string[] = [];
  const time = { now: 0, stepMs: 0 };
  const log = makeLogger('info', {
    write(line) {
      texts.push(JSON.parse(line).msg);
      sink.write(line);
    },
  });
  const sink: LineSink = openLineSink({
    output: 'log',
    fd: openSync(path, 'a'),
    log,
    stallMs: 60_000,
    clocks: {
      now: () => time.now,
      elapsed() {
        time.now += time.stepMs;
        return time.now;
      },
    },
  });
  return { sink, time, /** What was logged. */ texts };
}

test('a log that cannot keep up is bounded, counts its lost lines, and reports them when it is written again', async () => {
  const path = join(temporaryDir(), 'log.jsonl');
  const { sink, time, texts } = openOwnLog(path);
  using metrics = openMetrics({ targets: () => [], elapsed: () => time.now });

  const given = 100_000;
  const line = `{"msg":"${'x'.repeat(150)}"}\n`;
  for (let lines = 0; lines < given; lines += 1) sink.write(line); // nothing is written meanwhile
  const lost = readExposition(await metrics.render()).value('log_export_log_lines_lost_total');
  time.stepMs = 1_000;
  await expect.poll(() => texts, { interval: 5 }).toContain('the log is written again');
  await sink.close();

  const written = readFileSync(path, 'utf8').trimEnd().split('\n');
  const ofCaller = written.filter((text) => `${text}\n` === line).length;
  expect(ofCaller).toBeGreaterThan(30_000);
  expect(ofCaller).toBeLessThan(given);
  // The report at the begin is lost, too, unless it is short enough for the rest of the memory.
  expect([given - ofCaller, given - ofCaller + 1]).toContain(lost);
  expect(texts).toEqual(['failed to write the log; lines were lost', 'the log is written again']);
  expect(JSON.parse(written.at(-1) ?? '')).toMatchObject({
    level: 'info',
    lostLines: lost,
    msg: 'the log is written again',
  });
});

test('a log on a full disk reports it to itself once', async () => {
  const { sink, texts } = openOwnLog('/dev/full');

  for (let line = 0; line < 3; line += 1) {
    sink.write('{}\n');
    await expect.poll(() => texts.length, { interval: 5 }).toBe(1);
  }
  await sink.close();

  expect(texts).toEqual(['failed to write the log; lines were lost']);
});
