import type { ServerResponse } from 'node:http';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';

import { maxWaitingSpans, openSpanSender } from '#telemetry/traces/span-sender.ts';
import { openReceiver, type Receiver } from './receiver.ts';

const batchSpans = 512;

// The exporter does not retry: its first pause is longer.
const shortTimeoutMs = 500;

/** Opens a sender whose clock is `clock.ms`, with its log. */
function openSender(timeoutMs = 600_000) {
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = String(timeoutMs);
  const lines: object[] = [];
  const write = (level: string) => (facts: object, msg: string) =>
    void lines.push({ level, ...facts, msg });
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const clock = { ms: 0 };
  const sender = openSpanSender(log, { now: () => clock.ms, elapsed: () => clock.ms });
  const tracer = new TracerProvider({ spanProcessors: [sender] }).getTracer('test');
  return {
    lines,
    clock,
    make(spans: number) {
      for (let index = 0; index < spans; index++) tracer.startSpan('test').end();
    },
    flush: () => sender.forceFlush().catch(() => {}),
    close: () => sender.shutdown(),
  };
}

const failed = { level: 'warn', msg: 'failed to send spans, dropping them' };
const sentAgain = { level: 'info', msg: 'spans are sent again' };

describe('a receiver of traces', () => {
  test.each<[string, (receiver: Receiver) => unknown]>([
    ['is away', (receiver) => receiver[Symbol.asyncDispose]()],
    ['is silent', (receiver) => Object.assign(receiver, { answer: () => {} })],
    ['fails', (receiver) => Object.assign(receiver, { answer: fail(503) })],
    ['refuses', (receiver) => Object.assign(receiver, { answer: fail(400) })],
  ])(
    'that %s loses spans, is logged at the begin and at the close, and does not delay the close',
    async (_what, breakIt) => {
      await using receiver = await openReceiver();
      const { lines, make, close } = openSender(shortTimeoutMs);
      await breakIt(receiver);

      make(3 * maxWaitingSpans);
      await close();

      expect(lines).toMatchObject([failed, { ...failed, lostSpans: 3 * maxWaitingSpans }]);
      expect(receiver.spans).toEqual([]);
    },
  );

  test('that is too slow loses the spans for which there is no place', async () => {
    await using receiver = await openReceiver();
    const { lines, make, close } = openSender();
    const accept = receiver.answer;
    const held: ServerResponse[] = [];
    receiver.answer = (response) => void held.push(response);
    make(batchSpans);
    await expect.poll(() => held.length).toBe(1);

    make(maxWaitingSpans + 100);
    receiver.answer = accept;
    for (const response of held) accept(response);
    await close();

    expect(receiver.spans).toHaveLength(batchSpans + maxWaitingSpans);
    expect(lines).toMatchObject([failed, { ...sentAgain, lostSpans: 100 }]);
  });

  test('that fails again within a minute has one outage, and later another one', async () => {
    await using receiver = await openReceiver();
    const { lines, clock, make, flush } = openSender();
    const accept = receiver.answer;
    const send = async (atMs: number, answer: Receiver['answer']) => {
      clock.ms = atMs;
      receiver.answer = answer;
      make(10);
      await flush();
    };

    await send(0, fail(400));
    await send(30_000, accept);
    await send(50_000, fail(400));
    await send(90_000, fail(400));
    await send(100_000, accept);
    await send(160_000, accept);
    await send(200_000, fail(400));

    expect(lines).toMatchObject([
      { ...failed, lostSpans: 10 },
      { ...failed, lostSpans: 30, repeated: 1 },
      { ...sentAgain, lostSpans: 30, lastedMs: 100_000 },
      { ...failed, lostSpans: 40 },
    ]);
  });

  test('that is away for hours is never an error', async () => {
    await using receiver = await openReceiver();
    receiver.answer = fail(400);
    const { lines, clock, make, flush } = openSender();

    for (let hour = 0; hour < 3; hour++) {
      clock.ms = hour * 3_600_000;
      make(10);
      await flush();
    }

    expect(lines).toMatchObject([failed, failed, failed]);
  });
});

test('sends the headers of OTEL_EXPORTER_OTLP_HEADERS', async () => {
  await using receiver = await openReceiver();
  process.env.OTEL_EXPORTER_OTLP_HEADERS = 'api-key=of%20the%20test';
  const { make, close } = openSender();
  delete process.env.OTEL_EXPORTER_OTLP_HEADERS;

  make(1);
  await close();

  expect(receiver.requests[0]?.headers).toMatchObject({ 'api-key': 'of the test' });
});

function fail(status: number): Receiver['answer'] {
  return (response) => {
    response.statusCode = status;
    response.end();
  };
}
