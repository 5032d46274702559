import { randomUUID } from 'node:crypto';
import type { ArchiveDefinition } from '#archives/archive.ts';
import { makeKeeperAlerts } from '#archives/keeper/keeper-alerts.ts';
import type { KeeperOptions } from '#archives/keeper/look.ts';
import { makeLooker } from '#archives/keeper/looker.ts';
import { keeperTimings } from '#archives/keeper/timings.ts';
import { openToAll } from '#auth/access.ts';
import { startOf } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import { makeRandom } from '../../../random.ts';
import { acceptTestArchive } from '../accept-test-archive.ts';
import { dayMs, makeAwsModel, targetsOf } from './aws-model.ts';
import { makeCallers } from './callers-model.ts';
import { makeSlotModel } from './slot-model.ts';
import { findFaults } from './verdict.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const epoch = Date.UTC(2024, 1, 20); // with a leap day soon

/** The clock of a database and its years. */
export interface TurnedTime {
  now: number;
}

/** What happened in the years of a seed. */
export interface Years {
  faults: string[];
  events: string[];
  exports: number;
  looks: number;
  partitions: Record<string, number>;
}

/**
 * Lives through random days of an archive in turned time: log groups appear, vanish and are born again, retentions
 * change, the service is down, exports fail. Then it lets the archive finish, and compares its ledger with what
 * happened.
 */
export async function liveThrough(
  database: Database,
  time: TurnedTime,
  { seed, days }: { seed: number; days: number },
): Promise<Years> {
  const random = makeRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item =>
    items[Math.floor(random() * items.length)] as Item;
  const chance = (share: number) => random() < share;
  time.now = epoch + Math.floor(random() * 7 * dayMs);
  const now = () => time.now;
  const events: string[] = [];
  const note = (text: string) => void events.push(`${new Date(time.now).toISOString()} ${text}`);
  const model = makeAwsModel();
  let awsUpAt = 0;
  const isAwsUp = () => now() >= awsUpAt;
  let longestUnlistedMs = 0;
  let looks = 0;

  const partitionBy = pick(['hour', 'day', 'day', 'day', 'week', 'month'] as const);
  const unitMs = { hour: hourMs, day: dayMs, week: 7 * dayMs, month: 31 * dayMs }[partitionBy];
  const stepMs = { hour: hourMs / 2, day: 5 * hourMs, week: 12 * hourMs, month: 24 * hourMs }[
    partitionBy
  ];
  const retentions = {
    hour: [1, 3, null],
    day: [3, 5, 30, null],
    week: [14, 30, null],
    month: [60, 90, null],
  };
  const pickRetention = (): number | null => pick<number | null>(retentions[partitionBy]);
  const names = ['/app/a', '/app/b', '/app/c', '/app/x/d'];

  function create(logGroupName: string): void {
    const days = pickRetention();
    model.groups.push({
      logGroupName,
      createdAt: now(),
      goneAt: undefined,
      retentions: [{ at: now(), days, isListed: false }],
    });
    note(`${logGroupName} was created, ${days} days`);
  }
  create('/app/a');
  create('/app/x/d');
  const definition: Partial<ArchiveDefinition> = {
    logGroupNamePrefix: '/app/',
    partitionBy,
    fromAt: startOf(now() - pick([0, 3, 40]) * unitMs, partitionBy),
    refreshDays: chance(0.3) ? pick([1, 3]) : 0,
    priority: pick([-5, 0, 6]),
  };
  const archiveId = await acceptTestArchive(database, definition);

  const options: KeeperOptions = {
    database,
    targets: targetsOf(model, now, isAwsUp),
    authorizer: openToAll.authorizer,
    timings: keeperTimings,
    log: { info() {}, warn: noteFailure, error: noteFailure },
    owner: 'the keeper',
    now,
    elapsed: now,
    sleep: async () => {},
    newId: randomUUID,
    sendHeartbeat: async () => ({ outcome: 'delivered', origin: '' }),
    onChange: () => {},
    onJobChange: () => {},
    wake: () => {},
  };
  const failures: string[] = [];
  function noteFailure(facts: { err?: unknown }, text: string): void {
    if (text === 'failed to look at an archive, retrying')
      failures.push(String((facts.err as Error)?.stack));
    note(text);
  }
  const alerts = makeKeeperAlerts(options);
  const slot = makeSlotModel(database, model, now, Math.min(6 * hourMs, unitMs / 8));
  const faulty = { random, failShare: 0.06, cancelShare: 0.02 };

  async function look(): Promise<void> {
    looks += 1;
    const looker = makeLooker({ ...options, alerts }, new AbortController().signal);
    await looker.beginDue();
    await looker.whenIdle();
  }

  const fromAt = definition.fromAt ?? 0;
  const callers = makeCallers({ database, archiveId, fromAt, partitionBy, random, now, note });
  const { readArchive } = callers;
  const alive = () => model.groups.filter((group) => group.goneAt === undefined);

  async function happen(): Promise<void> {
    const group = alive().length > 0 ? pick(alive()) : undefined;
    const event = Math.floor(random() * 14);
    switch (event) {
      case 0: {
        const name = pick(names);
        if (!model.find(name)) create(name);
        return;
      }
      case 1:
        if (!group || chance(0.4)) return;
        group.goneAt = now();
        note(`${group.logGroupName} was deleted`);
        return;
      case 2:
        if (!group) return;
        group.goneAt = now();
        time.now += Math.floor(random() * 3 * hourMs) + 1;
        create(group.logGroupName);
        return;
      case 3:
      case 4: {
        const days = pickRetention();
        group?.retentions.push({ at: now(), days, isListed: false });
        note(`${group?.logGroupName} has ${days} days`);
        return;
      }
      case 5: {
        const downMs = Math.floor(random() * pick([1, 4, 20]) * unitMs);
        note(`down for ${downMs / hourMs} h`);
        time.now += downMs;
        return;
      }
      case 6:
        awsUpAt = now() + Math.floor(random() * pick([1, 1, 6]) * unitMs);
        note(`AWS is down until ${new Date(awsUpAt).toISOString()}`);
        return;
      case 7:
        model.hasBucket = !model.hasBucket;
        note(`the bucket is ${model.hasBucket ? 'there' : 'gone'}`);
        return;
      case 8: {
        const { pausedAt } = await readArchive();
        await callers.setPaused(pausedAt === null);
        note(pausedAt === null ? 'paused' : 'resumed');
        return;
      }
      case 9:
        await callers.redefine(
          pick([
            { priority: pick([-5, 3]) },
            { destination: pick(['archive', 'other']) },
            { refreshDays: pick([0, 2]) },
            { verification: pick(['objects', 'count'] as const) },
          ]),
        );
        return;
      case 10:
        if (group) await callers.waive(group);
        return;
      case 11:
        return callers.backfill(chance(0.6));
      case 12:
        return callers.retryFailed();
      default:
        return;
    }
  }

  /** Lets the service work for a while: exports end and start, and looks follow. */
  async function work(withFaults: typeof faulty, tasks: number): Promise<void> {
    for (let task = 0; task < tasks; task += 1) {
      const { listedAt } = await readArchive();
      if (listedAt !== null) longestUnlistedMs = Math.max(longestUnlistedMs, now() - listedAt);
      if (isAwsUp()) await slot.work(withFaults);
      await look();
      const endsAt = slot.endsAt();
      if (endsAt === undefined || !isAwsUp()) return;
      time.now = Math.max(time.now, endsAt);
    }
  }

  const until = time.now + days * (partitionBy === 'hour' ? dayMs / 12 : unitMs);
  while (time.now < until) {
    if (chance(0.3)) await happen();
    time.now += Math.floor(random() * stepMs);
    await work(faulty, 3);
  }
  note('the end');
  awsUpAt = 0;
  model.hasBucket = true;
  await callers.setPaused(false);
  let partitions: Record<string, number> = {};
  for (let round = 0; round < 2_000; round += 1) {
    if (round % 20 === 0) await callers.retryFailed();
    if (round % 20 === 10) await callers.waiveUnproven();
    time.now += stepMs / 10;
    await work({ random, failShare: 0, cancelShare: 0 }, 3);
    partitions = JSON.parse((await readArchive()).summary ?? '{}').partitions;
    const { waiting = 0, running = 0, missing = 0, atRisk = 0 } = partitions;
    if (waiting + running + missing + atRisk === 0 && slot.endsAt() === undefined) break;
  }
  const { definition: text } = await readArchive();
  const faults = await findFaults({
    database,
    archiveId,
    definition: JSON.parse(text),
    model,
    waivers: callers.waivers,
    backfills: callers.backfills,
    now: now(),
    maxRefreshDays: 3,
    foundWithinMs: longestUnlistedMs + 15 * minuteMs,
  });
  return {
    faults: [...failures, ...faults],
    events,
    exports: model.exports.length,
    looks,
    partitions,
  };
}
