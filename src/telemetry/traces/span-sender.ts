import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';

import type { Log } from '../log.ts';
import { makeOutageLog, type OutageClocks } from '../outage-log.ts';

/**
 * The most spans that wait to be sent, about 1 KiB each. Fewer: a burst of requests loses spans while the
 * receiver works. More: a receiver that is away takes memory from requests.
 */
export const maxWaitingSpans = 2_048;
// In one request. Fewer: more requests. More: writing one as JSON takes the event loop for longer than 2 ms.
const maxBatchSpans = 512;
// Shorter: small batches. Longer: a trace is visible later.
const sendEveryMs = 2_000;
// Shorter: a receiver that is now and then too slow fills the log. Longer: the log says late that it works.
const calmMs = 60_000;

const lost = 'failed to send spans, dropping them';

/**
 * Opens the sender of spans. If the receiver is away or too slow, it drops spans. That is never an error: no
 * request and no export needs them.
 */
export function openSpanSender(log: Log, clocks: OutageClocks): SpanProcessor {
  const exporter = new OTLPTraceExporter(); // reads OTEL_EXPORTER_OTLP_…
  const outages = makeOutageLog({ log, ...clocks, calmMs });
  const warning = { alarmAfterMs: Number.POSITIVE_INFINITY, kind: lost };
  let waitingSpans = 0;
  let lostSpans = 0;

  function lose(spans: number, err?: Error): void {
    lostSpans += spans;
    outages.failed({ lostSpans, err }, lost, warning);
  }

  const counted: SpanExporter = {
    export(spans: ReadableSpan[], done) {
      waitingSpans -= spans.length;
      exporter.export(spans, (result) => {
        if (result.code !== 0) lose(spans.length, result.error);
        else outages.worked({ lostSpans }, 'spans are sent again');
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
  const batches = new BatchSpanProcessor({
    exporter: counted,
    maxQueueSize: maxWaitingSpans,
    maxExportBatchSize: maxBatchSpans,
    scheduledDelayMillis: sendEveryMs,
  });
  return {
    onStart: () => {},
    onEnd(span) {
      if (waitingSpans >= maxWaitingSpans) return lose(1);
      waitingSpans += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    async shutdown() {
      const lostBefore = lostSpans;
      await batches.shutdown().catch(() => {}); // what was not sent is counted
      await exporter.shutdown(); // waits for the batch on its way
      if (lostSpans > lostBefore) outages.failed({ lostSpans }, lost, { ...warning, isDue: true });
      outages.settle(true);
    },
  };
}
