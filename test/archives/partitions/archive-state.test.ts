import { describe, expect, test } from 'vitest';
import { stateOf, workStateOf } from '#archives/partitions/archive-state.ts';

const hourMs = 3_600_000;
const current = {
  isStopped: false,
  hasUnknown: false,
  atRisk: 0,
  lost: 0,
  failed: 0,
  dueSinceAt: null,
  now: 10 * hourMs,
};

describe('workStateOf', () => {
  test.each<[Partial<Parameters<typeof workStateOf>[0]>, string]>([
    [{}, 'current'],
    [{ dueSinceAt: 9 * hourMs }, 'current'],
    [{ dueSinceAt: 9 * hourMs - 1 }, 'behind'],
    [{ isStopped: true }, 'behind'],
    [{ hasUnknown: true }, 'behind'],
    [{ isStopped: true, failed: 1 }, 'incomplete'],
    [{ lost: 1, dueSinceAt: 0 }, 'incomplete'],
    [{ lost: 1, atRisk: 1 }, 'atRisk'],
  ])('returns the first state that fits: %o → %s', (facts, expected) => {
    expect(workStateOf({ ...current, ...facts })).toBe(expected);
  });
});

describe('stateOf', () => {
  test.each([
    [{ endedAt: null, pausedAt: null }, 'behind'],
    [{ endedAt: null, pausedAt: 1 }, 'paused'],
    [{ endedAt: 2, pausedAt: 1 }, 'ended'],
  ])('returns the first state that fits: %o → %s', (archive, expected) => {
    expect(stateOf(archive, { state: 'behind' })).toBe(expected);
  });
});
