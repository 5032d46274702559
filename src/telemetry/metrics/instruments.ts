import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

import type { Channel } from '#diagnostics/channel.ts';

/** A configured target, as metrics know it. */
export interface MeasuredTarget {
  name: string;
  state: string;
}

/** A metric: its name, and what it is and in which unit. */
interface MetricText<Label extends string> {
  name: string;
  help: string;
  labelNames?: readonly Label[];
}

/** What metrics are made with. */
export interface Instruments {
  counter<Label extends string = never>(text: MetricText<Label>): Counter<Label>;
  gauge<Label extends string = never>(text: MetricText<Label>): Gauge<Label>;
  /** `buckets` are upper bounds, in the unit of the metric. */
  histogram<Label extends string = never>(
    text: MetricText<Label> & { buckets: number[] },
  ): Histogram<Label>;
  /** Listens to a channel until the metrics are closed. */
  listen<Message>(channel: Channel<Message>, act: (message: Message) => void): void;
  /** Calls `act` before each scrape, with the configured targets. It must be quick. */
  beforeScrape(act: (targets: readonly MeasuredTarget[]) => void): void;
  /** Calls `act` before each scrape, with the targets that have series of their own. */
  beforeScrapeOfTargets(act: (targets: readonly MeasuredTarget[]) => void): void;
  /** Whether each target or archive has its own series, if there are this many. */
  isInSeries: (count: number) => boolean;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  registry: Registry;
}

// Fewer: most organisations must ask for the series of their targets. More: a scrape has thousands of lines.
const maxInSeries = 200;

/** Makes instruments on a registry. `prepare` must run before each scrape. */
export function makeInstruments(options: {
  registry: Registry;
  elapsed: () => number;
  targets: () => Iterable<MeasuredTarget>;
  /** Whether each target and archive has series of its own. Default: with at most 200 of them. */
  isPerTarget: boolean | undefined;
}): { instruments: Instruments; prepare: () => void; stopListening: () => void } {
  const { registry, elapsed, targets, isPerTarget } = options;
  const registers = [registry];
  const subscriptions: (() => void)[] = [];
  const preparations: ((targets: readonly MeasuredTarget[]) => void)[] = [];
  const targetPreparations: typeof preparations = [];
  const isInSeries = (count: number) => isPerTarget ?? count <= maxInSeries;
  return {
    instruments: {
      counter: (text) => new Counter({ ...text, registers }),
      gauge: (text) => new Gauge({ ...text, registers }),
      histogram: (text) => new Histogram({ ...text, registers }),
      listen: (channel, act) => void subscriptions.push(channel.subscribe(act)),
      beforeScrape: (act) => void preparations.push(act),
      beforeScrapeOfTargets: (act) => void targetPreparations.push(act),
      isInSeries,
      elapsed,
      registry,
    },
    prepare() {
      const all = [...targets()];
      const shown = isInSeries(all.length) ? all : [];
      for (const act of preparations) act(all);
      for (const act of targetPreparations) act(shown);
    },
    stopListening() {
      for (const end of subscriptions) end();
    },
  };
}
