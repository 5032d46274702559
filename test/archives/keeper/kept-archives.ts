import { randomUUID } from 'node:crypto';
import { mkdtempDisposableSync } from 'node:fs';
import { join } from 'node:path';
import { CloudWatchLogsClient, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { type Emulator, openEmulator } from 'cloudwatch-logs-export-emulator/source';
import type { Selectable, Updateable } from 'kysely';

import type { ArchiveDefinition, ArchiveSummary } from '#archives/archive.ts';
import { makeKeeperAlerts } from '#archives/keeper/keeper-alerts.ts';
import type { KeeperOptions } from '#archives/keeper/look.ts';
import { type Looker, makeLooker } from '#archives/keeper/looker.ts';
import { keeperTimings } from '#archives/keeper/timings.ts';
import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { ArchiveRow } from '#database/rows/archive-rows.ts';
import { openTargets } from '#targets/open-targets.ts';
import type { Targets } from '#targets/target.ts';
import { longTimeouts } from '../../aws-timeouts.ts';
import { memoryFolder } from '../../memory-folder.ts';
import { postgresUrl } from '../../postgres-databases.ts';
import { openReady } from '../../ready-database.ts';
import { type LogLine, pointSdkAt, region } from '../../world.ts';
import { acceptTestArchive, type TestArchive } from './accept-test-archive.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
/** The start of the time of each test. */
export const start = Date.UTC(2024, 4, 1);

/** The options of a test. */
interface KeptOptions {
  backend?: 'sqlite' | 'postgres';
  authorizer?: Authorizer;
  sendHeartbeat?: KeeperOptions['sendHeartbeat'];
}

/** Archives with a keeper whose looks a test makes, in front of an emulator. Jobs end only when the test says so. */
export interface KeptArchives extends AsyncDisposable {
  emulator: Emulator;
  database: Database;
  targets: Targets;
  log: LogLine[];
  now(): number;
  advance(ms: number): void;
  seed(logGroupName: string, values?: { createdAt?: number; retentionInDays?: number }): void;
  /** Deletes a log group as its owner does. */
  remove(logGroupName: string): Promise<void>;
  accept(archive: TestArchive): Promise<string>;
  /** Changes an archive as an act of a caller does. */
  change(archiveId: string, columns: Updateable<ArchiveRow>): Promise<void>;
  redefine(archiveId: string, definition: Partial<ArchiveDefinition>): Promise<void>;
  /** Makes what takes up looks, for a test that looks while another look goes on. */
  looker(options?: Partial<KeeperOptions>): Looker;
  /** Makes all looks that are due. */
  look(options?: Partial<KeeperOptions>): Promise<void>;
  archive(archiveId: string): Promise<Selectable<ArchiveRow>>;
  summary(archiveId: string): Promise<ArchiveSummary>;
  /** The jobs with a waiting slice, in the order in which they would start. */
  waiting(): Promise<WaitingJob[]>;
  partitions(): ReturnType<typeof readPartitions>;
  ranges(): ReturnType<typeof readRanges>;
}

/** A job that waits. Its window is in days after `start`. */
interface WaitingJob {
  jobId: string;
  logGroupName: string;
  day: number;
  days: number;
  priority: number;
  revision: number;
}

/** Opens the archives; dispose of them with `await using`. */
export async function openKeptArchives(options: KeptOptions = {}): Promise<KeptArchives> {
  const emulator = await openEmulator({ rateLimits: 'off', startAt: start });
  pointSdkAt(emulator.url);
  emulator.seed.bucket({ region, bucket: 'archive' });
  const { clock } = emulator;
  const now = () => clock.now();
  const folder = mkdtempDisposableSync(join(memoryFolder, 'kept-archives-'));
  const databaseUrl = options.backend === 'postgres' ? await postgresUrl() : undefined;
  const database = await openReady({ dataDir: folder.path, databaseUrl, clock: now });
  const log: LogLine[] = [];
  const write = (level: string) => (facts: object, text: string) =>
    void log.push({ level, ...facts, text });
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const clocks = { now, elapsed: now, sleep: async () => {} };
  const targets = openTargets({
    settings: [{ name: 'default', region }],
    isSessionScoped: false,
    isSlotExclusive: false,
    random: () => 0,
    audit: makeAudit({ write() {} }),
    timeouts: longTimeouts,
    callsPerSecond: 0,
    sessionName: 'test',
    log: logger,
    ...clocks,
  });
  await targets.whenReady;
  emulator.journal.clear();
  const stop = new AbortController();
  const keeperOptions: KeeperOptions = {
    database,
    targets,
    authorizer: options.authorizer ?? openToAll.authorizer,
    timings: keeperTimings,
    log: logger,
    owner: 'the keeper',
    newId: randomUUID,
    sendHeartbeat: options.sendHeartbeat ?? (async () => ({ outcome: 'delivered', origin: '' })),
    onChange: () => {},
    onJobChange: () => {},
    wake: () => {},
    ...clocks,
  };
  const alerts = makeKeeperAlerts(keeperOptions);
  const client = new CloudWatchLogsClient({ region });
  const makeKeptLooker = (more: Partial<KeeperOptions> = {}) =>
    makeLooker({ ...keeperOptions, ...more, alerts }, stop.signal);

  const readArchive = (archiveId: string) =>
    database.queries
      .selectFrom('archives')
      .selectAll()
      .where('id', '=', archiveId)
      .executeTakeFirstOrThrow();
  async function change(archiveId: string, columns: Updateable<ArchiveRow>): Promise<void> {
    await database.queries
      .updateTable('archives')
      .set((row) => ({
        ...columns,
        version: row('version', '+', 1),
        lookDueAt: database.now(),
      }))
      .where('id', '=', archiveId)
      .execute();
  }

  return {
    emulator,
    database,
    targets,
    log,
    now,
    advance: (ms) => void clock.advance(ms),
    seed(logGroupName, values = {}) {
      emulator.seed.logGroup({ region, logGroupName, createdAt: start - 400 * dayMs, ...values });
    },
    async remove(logGroupName) {
      await client.send(new DeleteLogGroupCommand({ logGroupName }));
    },
    accept: (archive) => acceptTestArchive(database, archive),
    change,
    async redefine(archiveId, definition) {
      const { definition: known } = await readArchive(archiveId);
      const text = JSON.stringify({ ...JSON.parse(known), ...definition });
      await change(archiveId, { definition: text });
    },
    looker: makeKeptLooker,
    async look(more = {}) {
      const looker = makeKeptLooker(more);
      for (let round = 0; round < 3; round += 1) {
        await looker.beginDue();
        await looker.whenIdle();
      }
    },
    archive: readArchive,
    async summary(archiveId) {
      const { summary } = await readArchive(archiveId);
      return JSON.parse(summary ?? 'null');
    },
    async waiting() {
      const rows = await database.queries
        .selectFrom('slices')
        .innerJoin('jobs', 'jobs.id', 'slices.jobId')
        .select(['slices.jobId', 'logGroupName', 'slices.fromAt', 'slices.toAt'])
        .select(['slices.priority', 'revision'])
        .where('state', '=', 'waiting')
        .orderBy('slices.priority', 'desc')
        .orderBy('slices.fromAt')
        .orderBy('logGroupName')
        .execute();
      return rows.map(({ fromAt, toAt, ...row }) => ({
        ...row,
        day: (fromAt - start) / dayMs,
        days: (toAt - fromAt) / dayMs,
      }));
    },
    partitions: () => readPartitions(database),
    ranges: () => readRanges(database),
    async [Symbol.asyncDispose]() {
      stop.abort();
      client.destroy();
      await targets[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await emulator.close();
      folder.remove();
    },
  };
}

const inDays = ({ fromAt, toAt }: { fromAt: number; toAt: number }) => ({
  from: (fromAt - start) / dayMs,
  to: (toAt - start) / dayMs,
});

/** The partitions in work. */
async function readPartitions({ queries }: Database) {
  const rows = await queries
    .selectFrom('archivePartitions')
    .selectAll()
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .orderBy('fromAt')
    .execute();
  return rows.map(({ fromAt, toAt, archiveId: _, problem, ...row }) => ({
    ...row,
    ...inDays({ fromAt, toAt }),
    problem: problem && (JSON.parse(problem).type as string),
  }));
}

/** The ledger. */
async function readRanges({ queries }: Database) {
  const rows = await queries
    .selectFrom('archiveRanges')
    .selectAll()
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .orderBy('fromAt')
    .execute();
  return rows.map(({ fromAt, toAt, logGroupName, incarnation, state, again, cause }) => ({
    logGroupName,
    incarnation,
    ...inDays({ fromAt, toAt }),
    state,
    ...(again !== null && { again }),
    ...(cause !== null && { cause }),
  }));
}
