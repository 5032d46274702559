import type { AbortableSleep } from '#time/sleep.ts';
import { makeFigures } from '../../figures.ts';
import type { Instruments } from '../../instruments.ts';

/** An archive that has not ended. Instants are epoch ms. */
interface MeasuredArchive {
  id: string;
  name: string;
  target: string;
  state: string;
  isStopped: boolean;
  /** For how long its next look has been due; 0 if it is not. */
  lookOverdueMs: number;
  /** Undefined before the first look. */
  partitions: Readonly<Record<string, number>> | undefined;
  watermarkAt: number | null;
  nextExpiryAt: number | null;
}

/** What the figures of archives depend on. */
export interface ArchivesOptions {
  /** Reads all archives that have not ended, up to a limit. */
  read: () => Promise<readonly MeasuredArchive[]>;
  sleep: AbortableSleep;
  /** Ends the reading. */
  stop: AbortSignal;
}

const states = ['current', 'behind', 'incomplete', 'atRisk', 'paused'];
const partitionStates = [
  'open',
  'waiting',
  'running',
  'covered',
  'missing',
  'atRisk',
  'lost',
  'waived',
];
// Of a partition that is neither covered nor waived, and due.
const workStates = ['waiting', 'running', 'missing', 'atRisk', 'lost'];
const ofArchive = ['target', 'archive', 'archive_name'] as const;

/** Measures archives, as their last looks found them. */
export function measureArchives(
  { gauge, beforeScrape, isInSeries, elapsed }: Instruments,
  { read, sleep, stop }: ArchivesOptions,
): void {
  const archives = gauge({
    name: 'log_export_archives',
    help: 'Archives that have not ended, by state. At most 2,000 are counted.',
    labelNames: ['state'],
  });
  const stopped = gauge({
    name: 'log_export_archives_stopped',
    help: 'Archives that create no exports, because of their destination or a missing permission.',
  });
  const failing = gauge({
    name: 'log_export_archives_failing',
    help: 'Archives in the state incomplete that have lost nothing: exports of their partitions fail.',
  });
  const partitions = gauge({
    name: 'log_export_partitions',
    help: 'Partitions of archives that have not ended, by state.',
    labelNames: ['state'],
  });
  const oldestWatermark = gauge({
    name: 'log_export_oldest_watermark_timestamp_seconds',
    help: 'Earliest watermark of the archives that have work and are not paused, in seconds since 1970. Absent if there is none.',
  });
  const nextExpiry = gauge({
    name: 'log_export_next_expiry_timestamp_seconds',
    help: 'When the first log events of an uncovered partition expire, in seconds since 1970. Absent if none do.',
  });
  const overdue = gauge({
    name: 'log_export_archive_look_overdue_seconds',
    help: 'Time that the look at an archive has been due, in seconds: the longest of all archives; 0 if none is due.',
  });
  const archiveState = gauge({
    name: 'log_export_archive_state',
    help: 'State of an archive: 1 for the current state, 0 for the others.',
    labelNames: [...ofArchive, 'state'],
  });
  const archiveStopped = gauge({
    name: 'log_export_archive_stopped',
    help: 'Whether an archive is stopped, because of its destination or a missing permission: 1 or 0.',
    labelNames: ofArchive,
  });
  const archivePartitions = gauge({
    name: 'log_export_archive_partitions',
    help: 'Partitions of an archive, by state.',
    labelNames: [...ofArchive, 'state'],
  });
  const archiveWatermark = gauge({
    name: 'log_export_archive_watermark_timestamp_seconds',
    help: 'Watermark of an archive, in seconds since 1970: everything before it is covered or waived.',
    labelNames: ofArchive,
  });
  const archiveNextExpiry = gauge({
    name: 'log_export_archive_next_expiry_timestamp_seconds',
    help: 'When the first log events of an uncovered partition of an archive expire, in seconds since 1970.',
    labelNames: ofArchive,
  });
  const seriesOfArchives = [
    archiveState,
    archiveStopped,
    archivePartitions,
    archiveWatermark,
    archiveNextExpiry,
  ];
  const figures = makeFigures<readonly MeasuredArchive[]>({ elapsed, sleep, stop });
  for (const each of [stopped, failing, oldestWatermark, nextExpiry, overdue]) each.remove();

  beforeScrape(() => {
    figures.refresh(read);
    const all = figures.latest()?.value;
    if (!all) return;
    measureAll(all);
    for (const each of seriesOfArchives) each.reset();
    if (isInSeries(all.length)) for (const archive of all) measureOne(archive);
  });

  function measureAll(all: readonly MeasuredArchive[]): void {
    for (const state of states) {
      archives.set({ state }, all.filter((archive) => archive.state === state).length);
    }
    for (const state of partitionStates) {
      const sum = all.reduce((total, archive) => total + (archive.partitions?.[state] ?? 0), 0);
      partitions.set({ state }, sum);
    }
    stopped.set(all.filter(({ isStopped }) => isStopped).length);
    failing.set(all.filter(isFailing).length);
    overdue.set(Math.max(0, ...all.map(({ lookOverdueMs }) => lookOverdueMs)) / 1_000);
    setEarliest(oldestWatermark, all.filter(isWorking), ({ watermarkAt }) => watermarkAt);
    setEarliest(nextExpiry, all, ({ nextExpiryAt }) => nextExpiryAt);
  }

  function measureOne(archive: MeasuredArchive): void {
    const { id, name, target, watermarkAt, nextExpiryAt } = archive;
    const labels = { target, archive: id, archive_name: name };
    for (const state of states) {
      archiveState.set({ ...labels, state }, state === archive.state ? 1 : 0);
    }
    archiveStopped.set(labels, archive.isStopped ? 1 : 0);
    for (const [state, count] of Object.entries(archive.partitions ?? {})) {
      archivePartitions.set({ ...labels, state }, count);
    }
    if (watermarkAt !== null) archiveWatermark.set(labels, watermarkAt / 1_000);
    if (nextExpiryAt !== null) archiveNextExpiry.set(labels, nextExpiryAt / 1_000);
  }
}

function isFailing({ state, partitions }: MeasuredArchive): boolean {
  return state === 'incomplete' && !partitions?.lost;
}

/** Whether an archive has partitions to export, and exports them. */
function isWorking({ state, partitions }: MeasuredArchive): boolean {
  return state !== 'paused' && workStates.some((each) => (partitions?.[each] ?? 0) > 0);
}

/** Sets a gauge to the earliest instant, in seconds, or removes its sample if there is none. */
function setEarliest(
  gauge: { set: (value: number) => void; remove: () => void },
  archives: readonly MeasuredArchive[],
  instantOf: (archive: MeasuredArchive) => number | null,
): void {
  const instants = archives.map(instantOf).filter((at) => at !== null);
  if (instants.length === 0) gauge.remove();
  else gauge.set(Math.min(...instants) / 1_000);
}
