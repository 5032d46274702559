import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';

import { makeSampler, maxRequestedTraces, type Sampling } from '#telemetry/traces/sampler.ts';
import { readTraceParent } from '#telemetry/traces/trace-parent.ts';

const spanId = '00f067aa0ba902b7';
/** A trace id at a place among all ids. A sampler with a ratio records the first ones. */
const traceIdAt = (place: number) =>
  Math.floor(place * 0xffff_ffff)
    .toString(16)
    .padStart(8, '0')
    .padEnd(32, '0001');

const parentOf = (flags: '00' | '01', isRemote: boolean) => {
  const parent = readTraceParent(`00-${traceIdAt(0.9)}-${spanId}-${flags}`);
  if (!parent) throw new Error('malformed');
  return { ...parent, isRemote };
};

/** Makes a sampler that says whether a span is recorded, at a time in milliseconds. */
function open(sampling: Sampling) {
  const clock = { ms: 0 };
  const sampler = makeSampler(sampling, () => clock.ms);
  const isRecorded = (
    traceId: string,
    { parent, link }: { parent?: ReturnType<typeof parentOf>; link?: typeof parent } = {},
  ) => {
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const links = link ? [{ context: link }] : [];
    return (
      sampler.shouldSample(context, traceId, 'test', SpanKind.INTERNAL, {}, links).decision === 2
    );
  };
  return { clock, isRecorded };
}

describe('the sampler', () => {
  test.each<[Sampling['sampler'], boolean, boolean, boolean]>([
    ['always_on', true, true, true],
    ['always_off', false, false, false],
    ['traceidratio', true, true, true],
    ['parentbased_always_on', true, true, false],
    ['parentbased_always_off', false, true, false],
    ['parentbased_traceidratio', true, true, false],
  ])('%s follows its name', (sampler, isNewRecorded, isLikeRecorded, isLikeNotRecorded) => {
    const { isRecorded } = open({ sampler, ratio: 0.5 });
    const id = traceIdAt(0.1);

    expect([
      isRecorded(id),
      isRecorded(id, { parent: parentOf('01', true) }),
      isRecorded(id, { parent: parentOf('00', true) }),
    ]).toEqual([isNewRecorded, isLikeRecorded, isLikeNotRecorded]);
  });

  test('records the share of new traces that the ratio says', () => {
    const { isRecorded } = open({ sampler: 'parentbased_traceidratio', ratio: 0.25 });
    const ids = Array.from({ length: 1_000 }, (_, index) => traceIdAt(index / 1_000));

    expect(ids.filter((id) => isRecorded(id)).length / 1_000).toBeCloseTo(0.25, 1);
  });

  test('records what callers ask for up to a limit per second, then what the ratio says', () => {
    const { isRecorded, clock } = open({ sampler: 'parentbased_traceidratio', ratio: 0.5 });
    const ask = (share: number, times: number) =>
      Array.from({ length: times }, () =>
        isRecorded(traceIdAt(share), { parent: parentOf('01', true) }),
      ).filter(Boolean).length;

    expect(ask(0.9, 100)).toBe(maxRequestedTraces);
    expect(ask(0.1, 100)).toBe(100);
    clock.ms = 1_000;
    expect(ask(0.9, 100)).toBe(maxRequestedTraces);
  });

  test('does not limit the spans within a recorded trace', () => {
    const { isRecorded } = open({ sampler: 'parentbased_traceidratio', ratio: 0 });
    const parent = parentOf('01', false);

    expect(Array.from({ length: 100 }, () => isRecorded(parent.traceId, { parent }))).not.toContain(
      false,
    );
  });

  test.each(['01', '00'] as const)('follows the link of a trace with flags %s', (flags) => {
    const { isRecorded } = open({ sampler: 'parentbased_traceidratio', ratio: 0.5 });
    const link = parentOf(flags, false);

    expect(isRecorded(traceIdAt(0.9), { link })).toBe(flags === '01');
    expect(isRecorded(traceIdAt(0.1), { link })).toBe(flags === '01');
  });
});
