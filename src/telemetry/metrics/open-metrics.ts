import { setImmediate } from 'node:timers/promises';
import { Registry } from '@prometheus-io/client';

import { type MeasuredTarget, makeInstruments } from './instruments.ts';
import { type ArchivesOptions, measureArchives } from './subjects/archives/figures-of-archives.ts';
import { measureLooks } from './subjects/archives/looks.ts';
import { measureAwsCalls } from './subjects/aws-calls.ts';
import { measureDatabase } from './subjects/database.ts';
import { measureExports } from './subjects/exports.ts';
import { countFileFailures } from './subjects/files.ts';
import {
  measureNotifications,
  type NotificationFiguresOptions,
} from './subjects/notifications/deliveries.ts';
import { measureProcess } from './subjects/process.ts';
import { measureQueue, type QueueOptions } from './subjects/queue.ts';
import { measureRequests } from './subjects/requests.ts';
import { measureSlots } from './subjects/slots.ts';
import { measureTargets } from './subjects/targets.ts';

/** What the metrics are made of. */
export interface MetricsOptions {
  /** The configured targets. */
  targets: () => Iterable<MeasuredTarget>;
  /** Whether each target and archive has series of its own. Default: with at most 200 of them. */
  isPerTarget?: boolean | undefined;
  /** The export jobs; absent if they are off. */
  jobs?: (Pick<QueueOptions, 'read' | 'sleep'> & { isDatabaseReady: () => boolean }) | undefined;
  /** The archives; absent if export jobs are off. */
  archives?: Pick<ArchivesOptions, 'read' | 'sleep'> | undefined;
  /** The notifications; absent if export jobs are off. */
  notifications?: Pick<NotificationFiguresOptions, 'read' | 'sleep'> | undefined;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

/** The metrics of a gateway. */
export interface Metrics extends Disposable {
  /** Renders all of them in the text format of Prometheus. It never waits for anything outside of the process. */
  render(): Promise<string>;
  contentType: string;
}

// How long a scrape may keep the event loop busy at a time. Shorter: a scrape of a busy process takes more
// turns, so it is answered later. Longer: requests wait for it.
const maxTurnMs = 5;

/** Opens the metrics: from now on, they listen to the channels of the rooms. */
export function openMetrics(options: MetricsOptions): Metrics {
  const { targets, isPerTarget, jobs, archives, notifications, elapsed } = options;
  const registry = new Registry();
  const stop = new AbortController();
  const { instruments, prepare, stopListening } = makeInstruments({
    registry,
    elapsed,
    targets,
    isPerTarget,
  });
  measureRequests(instruments);
  measureAwsCalls(instruments);
  measureTargets(instruments);
  countFileFailures(instruments);
  if (jobs) {
    measureSlots(instruments);
    measureDatabase(instruments, jobs.isDatabaseReady);
    measureQueue(instruments, { ...jobs, stop: stop.signal });
  }
  measureExports(instruments);
  if (archives) {
    measureArchives(instruments, { ...archives, stop: stop.signal });
    measureLooks(instruments);
  }
  if (notifications) measureNotifications(instruments, { ...notifications, stop: stop.signal });
  const processMetrics = measureProcess(instruments);

  return {
    contentType: registry.contentType,
    async render() {
      prepare();
      const texts: string[] = [];
      let turnBeganAt = elapsed();
      for (const { name } of registry.getMetricsAsArray()) {
        texts.push(await registry.getSingleMetricAsString(name));
        if (elapsed() - turnBeganAt < maxTurnMs) continue;
        await setImmediate();
        turnBeganAt = elapsed();
      }
      return `${texts.join('\n\n')}\n`;
    },
    [Symbol.dispose]() {
      stop.abort();
      stopListening();
      processMetrics[Symbol.dispose]();
      registry.clear();
    },
  };
}
