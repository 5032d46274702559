import { describe, expect, test } from 'vitest';

import { slotDuty } from '#export-jobs/dispatcher/replica/slot-duty.ts';
import type { SlotWork } from '#export-jobs/store/reads/read-work.ts';

const leaseMs = 30_000;

/** The duty of replica `me`; the slot is free and has been so for an hour, with a slice ready since. */
const dutyOf = (work: Partial<SlotWork>, owners = ['me', 'b', 'c']) =>
  slotDuty(
    {
      target: 'default',
      readyInMs: -3_600_000,
      activeJobId: null,
      isCancelRequested: false,
      accountId: '123456789012',
      region: 'eu-west-1',
      owner: null,
      leaseLeftMs: -3_600_000,
      stoodBack: [],
      ...work,
    },
    { owner: 'me', owners, leaseMs, takeOverMs: 2_000 },
  );

describe('the preferred owner', () => {
  test.each<[string, Partial<SlotWork>]>([
    ['has never had an owner', { leaseLeftMs: null }],
    ['was released', { leaseLeftMs: 0 }],
    ['has a lease that ended', { owner: 'b', leaseLeftMs: 0 }],
    ['has a lease longer than any valid one', { owner: 'b', leaseLeftMs: 2 * leaseMs + 1 }],
    ['is its own', { owner: 'me', leaseLeftMs: 10_000 }],
    ['has a slice that is ready soon', { leaseLeftMs: null, readyInMs: 900 }],
  ])('takes a slot that %s', (_what, work) => {
    expect(dutyOf(work)).toEqual({ act: 'take' });
  });

  test('leaves a slot alone while another owner has a valid lease', () => {
    expect(dutyOf({ owner: 'b', leaseLeftMs: 1 })).toEqual({ act: 'leave' });
  });
});

describe('another replica', () => {
  const second = ['b', 'me', 'c'];
  const third = ['b', 'c', 'me'];

  test.each<[string, Partial<SlotWork>, string[], boolean]>([
    ['the slot is free for 1.9 s', { leaseLeftMs: -1_900 }, second, false],
    ['the slot is free for 2 s', { leaseLeftMs: -2_000 }, second, true],
    ['the slot is free for 2 s, but two are before it', { leaseLeftMs: -2_000 }, third, false],
    ['the slot is free for 4 s, and two are before it', { leaseLeftMs: -4_000 }, third, true],
    ['the slice is ready for 1.9 s', { readyInMs: -1_900 }, second, false],
    ['the slice is ready for 2 s', { readyInMs: -2_000 }, second, true],
    [
      'a new target has a slice ready for 1 s',
      { leaseLeftMs: null, readyInMs: -1_000 },
      second,
      false,
    ],
    [
      'a task is left since 2 s',
      { readyInMs: null, leaseLeftMs: -2_000, activeJobId: 'j' },
      second,
      true,
    ],
    [
      'a task is left since 1 s',
      { readyInMs: null, leaseLeftMs: -1_000, activeJobId: 'j' },
      second,
      false,
    ],
  ])('takes the slot only after those before it: %s', (_what, work, owners, isTaken) => {
    expect(dutyOf(work, owners)).toEqual(
      isTaken ? { act: 'take', passedOver: 'b' } : { act: 'await' },
    );
  });

  test('hands over a slot that it holds', () => {
    expect(dutyOf({ owner: 'me', leaseLeftMs: 20_000 }, second)).toEqual({ act: 'hand-over' });
  });
});

describe('a replica that stood back', () => {
  test('is the last in the order', () => {
    const work = { stoodBack: ['me'], leaseLeftMs: -3_000 };

    expect(dutyOf(work)).toEqual({ act: 'await' });
    expect(dutyOf({ ...work, leaseLeftMs: -4_000 })).toEqual({ act: 'take', passedOver: 'b' });
  });

  test('is not handed the slot back, also if the owner stood back itself', () => {
    const owners = ['b', 'c', 'me'];
    const work = { owner: 'me', leaseLeftMs: 20_000 };

    expect(dutyOf({ ...work, stoodBack: ['b', 'c'] }, owners)).toEqual({ act: 'take' });
    expect(dutyOf({ ...work, stoodBack: ['b', 'c', 'me'] }, owners)).toEqual({ act: 'take' });
    expect(dutyOf({ ...work, stoodBack: ['b', 'me'] }, owners)).toEqual({ act: 'hand-over' });
  });

  test('takes the slot at once if no other one is alive', () => {
    expect(dutyOf({ stoodBack: ['me'], leaseLeftMs: 0 }, ['me'])).toEqual({ act: 'take' });
  });

  test('makes the next one the preferred owner', () => {
    expect(dutyOf({ stoodBack: ['b'], leaseLeftMs: 0 }, ['b', 'me', 'c'])).toEqual({ act: 'take' });
  });
});
