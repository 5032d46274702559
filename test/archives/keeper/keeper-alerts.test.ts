import { describe, expect, test } from 'vitest';
import { makeKeeperAlerts } from '#archives/keeper/keeper-alerts.ts';
import { anonymous } from '#auth/principal.ts';
import { Problem } from '#problems/problem.ts';
import type { LogLine } from '../../world.ts';
import { archiveRow } from '../archive-rows.ts';

const start = Date.UTC(2024, 4, 1);

/** The archive of these lines. */
function keptArchive(listedAt: number | null) {
  const row = archiveRow({ id: 'one' });
  return {
    id: 'one',
    target: 'default',
    accountId: null,
    region: null,
    name: 'an archive',
    version: 1,
    pausedAt: null,
    endedAt: null,
    listedAt,
    stopCheckAt: null,
    trialAt: null,
    heartbeatAt: null,
    principal: anonymous,
    definition: JSON.parse(row.definition),
    stopProblem: null,
    summary: null,
  };
}

function openAlerts() {
  const lines: LogLine[] = [];
  const write = (level: string) => (facts: object, text: string) =>
    void lines.push({ level, ...facts, text });
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  return { lines, alerts: makeKeeperAlerts({ log, now: () => start, elapsed: () => start }) };
}

describe('the log lines of an archive', () => {
  test('tell a late listing once, with its time if there was one, and its end', () => {
    const { lines, alerts } = openAlerts();

    alerts.listed(keptArchive(start));
    alerts.listedLate(keptArchive(null));
    alerts.listedLate(keptArchive(null));
    alerts.listed(keptArchive(start));
    alerts.listedLate(keptArchive(start));

    expect(lines.map(({ text }) => text)).toEqual([
      'the log groups of an archive were not listed for long',
      'log groups of an archive listed again',
      'the log groups of an archive were not listed for long',
    ]);
    expect(lines[0]?.listedAt).toBeUndefined();
    expect(lines[2]).toMatchObject({ listedAt: '2024-05-01T00:00:00.000Z', archiveId: 'one' });
  });

  test('tell no late listing while listings fail', () => {
    const { lines, alerts } = openAlerts();
    const problem = new Problem('aws-unavailable', 'AWS does not answer.');

    alerts.notListed(keptArchive(null), problem);
    alerts.notListed(keptArchive(null), problem);
    alerts.listedLate(keptArchive(null));

    expect(lines).toMatchObject([{ level: 'warn', problem: 'aws-unavailable' }]);
  });

  test('tell each log group at risk once until it no longer is, and ten names at most', () => {
    const { lines, alerts } = openAlerts();
    const names = Array.from({ length: 12 }, (_, index) => `/app/${index}`);
    const archive = keptArchive(start);

    alerts.atRisk(archive, new Set(), null);
    alerts.atRisk(archive, new Set(names), start);
    alerts.atRisk(archive, new Set(names), start);
    alerts.atRisk(archive, new Set([...names, '/app/new']), null);
    alerts.atRisk(archive, new Set(), null);
    alerts.atRisk(archive, new Set(['/app/0']), null);

    expect(lines.map(({ logGroups }) => logGroups)).toEqual([12, 1, 1]);
    expect(lines[0]).toMatchObject({
      logGroupNames: names.slice(0, 10),
      nextExpiryAt: '2024-05-01T00:00:00.000Z',
    });
    expect(lines[1]?.nextExpiryAt).toBeUndefined();
  });

  test('tell a heartbeat that fails, and that heartbeats arrive again', () => {
    const { lines, alerts } = openAlerts();
    const origin = 'https://beats.example.com';
    const archive = keptArchive(start);

    alerts.heartbeat(archive, { outcome: 'delivered', origin });
    alerts.heartbeat(archive, { outcome: 'failed', origin, reason: 'timeout' });
    alerts.heartbeat(archive, { outcome: 'refused', origin });
    alerts.heartbeat(archive, { outcome: 'delivered', origin });

    expect(lines).toMatchObject([
      { level: 'warn', origin, reason: 'timeout' },
      { level: 'info', text: 'heartbeats of an archive arrive again', repeated: 1 },
    ]);
  });
});
