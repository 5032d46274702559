import { describe, expect, test } from 'vitest';

import { isStaleState } from '#export-jobs/store/steps/stale-state.ts';
import {
  type ClaimedVerification,
  type ClaimScope,
  claimVerification,
} from '#export-jobs/store/verifications/claim-verification.ts';
import {
  guardVerification,
  maxPutOffMs,
  renewVerification,
} from '#export-jobs/store/verifications/due-verifications.ts';
import type { Findings } from '#export-jobs/store/verifications/findings.ts';
import {
  putOffVerification,
  recordFindings,
} from '#export-jobs/store/verifications/record-verification.ts';
import { type GivenJob, givenJob } from '../accepted-jobs.ts';
import { insertAttempt, insertVerification } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const leaseMs = 30_000;
const everywhere: ClaimScope = {
  busyTargets: [],
  busyCallers: [],
  busyTargetsOf: [],
  countedTargets: [],
  served: [],
  draining: [],
};
const findings: Findings = {
  method: 'objects',
  objects: 1,
  bytes: 1,
  streams: 1,
  isEmpty: false,
  evidence: {},
};

describe.each(storageBackends)('the lease of a verification, on %s', (_name, openStorage) => {
  async function given(targets: readonly string[] = ['default']) {
    const clock = { now: 1_714_521_600_000 };
    const database = await openStore(openStorage, () => clock.now);
    const jobId = await givenJob(database, Math.max(1, targets.length));
    for (const [slice, target] of targets.entries()) {
      await insertAttempt(database, { jobId, slice, taskId: `task-${slice}`, submittedAt: 1 });
      const times = { beganAt: clock.now, dueAt: clock.now + slice };
      await insertVerification(database, { jobId, slice, target, ...times });
    }
    clock.now += targets.length;
    /** Adds one that is due later than those before. */
    async function put({ target = 'default', ...job }: GivenJob & { target?: string }) {
      const jobId = await givenJob(database, 1, job);
      await insertAttempt(database, { jobId, taskId: jobId, submittedAt: 1 });
      const times = { beganAt: clock.now, dueAt: clock.now };
      await insertVerification(database, { jobId, target, caller: job.caller, ...times });
      clock.now += 1;
    }
    const claim = (owner: string, scope: Partial<ClaimScope> = {}) =>
      claimVerification(database, { owner, leaseMs, scope: { ...everywhere, ...scope } });
    const row = () =>
      database.queries.selectFrom('verifications').selectAll().executeTakeFirstOrThrow();
    return { clock, database, put, claim, row };
  }

  const held = (claimed: ClaimedVerification | undefined): ClaimedVerification => {
    if (!claimed) throw new Error('Nothing was due.');
    return claimed;
  };

  test('is given to one process, until it ends', async () => {
    const { clock, database, claim } = await given();
    await using _closed = database;

    const first = await claim('one');
    const second = await claim('two');
    clock.now += leaseMs;
    const third = await claim('two');

    expect([first?.looks, second, third?.looks]).toEqual([1, undefined, 2]);
  });

  test('lasts longer if it is renewed by its owner only', async () => {
    const { clock, database, claim } = await given();
    await using _closed = database;
    const own = held(await claim('one'));
    const foreign = { ...own, owner: 'two' };

    clock.now += leaseMs - 1;
    const isRenewed = [
      await renewVerification(database, foreign, leaseMs),
      await renewVerification(database, own, leaseMs),
    ];
    clock.now += leaseMs - 1;

    expect(isRenewed).toEqual([false, true]);
    expect(await claim('two')).toBeUndefined();
  });

  test('permits no write after another process has taken it up', async () => {
    const { clock, database, claim, row } = await given();
    await using _closed = database;
    const lost = held(await claim('one'));
    clock.now += leaseMs;
    await claim('two');
    const before = await row();

    await putOffVerification(database, lost, 1_000, '{}');
    const hold = () =>
      database.transaction((queries) => guardVerification(database, lost, leaseMs).hold(queries));

    await expect(hold()).rejects.toSatisfy(isStaleState);
    await expect(recordFindings(database, lost, leaseMs, findings)).rejects.toSatisfy(isStaleState);
    expect(await row()).toEqual(before);
  });

  test('permits no write after its own owner has taken it up again', async () => {
    const { clock, database, claim, row } = await given();
    await using _closed = database;
    const lost = held(await claim('one'));
    clock.now += leaseMs;
    await claim('one');
    const before = await row();

    await expect(recordFindings(database, lost, leaseMs, findings)).rejects.toSatisfy(isStaleState);
    expect(await row()).toEqual(before);
  });

  test('is due again after a pause, and also if the clock was set back', async () => {
    const { clock, database, claim } = await given();
    await using _closed = database;
    await putOffVerification(database, held(await claim('one')), 60_000, undefined);

    const early = await claim('one');
    clock.now -= 3_600_000;
    const setBack = await claim('one');

    expect([early, setBack?.looks]).toEqual([undefined, 2]);
  });

  test.each([
    ['a step of the time synchronization', 500, 0],
    ['an hour', 3_600_000, maxPutOffMs],
  ])('has an age also after the clock was set back by %s', async (_step, backMs, ageMs) => {
    const { clock, database, claim } = await given();
    await using _closed = database;

    clock.now -= backMs + 1; // the verification began a millisecond before
    await database.queries.updateTable('verifications').set({ dueAt: clock.now }).execute();
    const claimed = await claim('one');

    expect(claimed?.ageMs).toBe(ageMs);
  });

  test('is given for the target that has waited longest, without busy ones', async () => {
    const { database, claim } = await given(['a', 'b', 'a']);
    await using _closed = database;

    const claims = [
      await claim('one', { busyTargets: ['a'] }),
      await claim('one', { busyTargets: ['b'] }),
      await claim('one', { busyTargets: ['b'] }),
    ];

    expect(claims.map((each) => [each?.target, each?.slice])).toEqual([
      ['b', 1],
      ['a', 0],
      ['a', 2],
    ]);
  });

  test('is not given for exports at the new place of a draining target', async () => {
    const { database, claim } = await given(['a', 'a', 'b']);
    await using _closed = database;
    const first = { name: 'a', accountId: '123456789012', region: 'eu-west-1' };
    const ofSuccessor = database.queries.updateTable('verifications').where('slice', '=', 0);
    await ofSuccessor.set({ region: 'us-east-1' }).execute();

    const claims = [
      await claim('one', { draining: [first] }),
      await claim('one', { draining: [first] }),
      await claim('one', { draining: [first] }),
      await claim('another'),
    ];

    expect(claims.map((each) => each && [each.target, each.slice])).toEqual([
      ['a', 1],
      ['b', 2],
      undefined,
      ['a', 0],
    ]);
  });

  test('is given for an export without a count while its target may begin none', async () => {
    const { database, claim, put } = await given([]);
    await using _closed = database;
    await put({ target: 'a', facts: { verification: 'count' } });
    await put({ target: 'b', facts: { verification: 'count' } });
    await put({ target: 'a' });

    const claims = [
      await claim('one', { countedTargets: 'all' }),
      await claim('one', { countedTargets: 'all' }),
      await claim('one', { countedTargets: ['a'] }),
      await claim('one', { countedTargets: ['a'] }),
      await claim('one'),
    ];

    const found = claims.map((each) => each && [each.target, each.mode]);
    expect(found).toEqual([['a', 'objects'], undefined, ['b', 'count'], undefined, ['a', 'count']]);
  });

  test('is not given to a caller that has its places', async () => {
    const { database, claim, put } = await given([]);
    await using _closed = database;
    await put({ target: 'a', caller: 'alice' });
    await put({ target: 'b', caller: 'alice' });
    await put({ target: 'a', caller: 'bob' });
    const of = (caller: string, ...targets: string[]) => ({ caller, targets });

    const claims = [
      await claim('one', { busyTargetsOf: [of('alice', 'a'), of('bob')] }),
      await claim('one', { busyCallers: ['alice'] }),
      await claim('one', { busyCallers: ['alice'] }),
      await claim('one', { busyTargetsOf: [of('alice', 'b')] }),
    ];

    const found = claims.map((each) => each && [each.target, each.caller]);
    expect(found).toEqual([['b', 'alice'], ['a', 'bob'], undefined, ['a', 'alice']]);
  });

  test('is given for the caller that was served longest ago', async () => {
    const { database, claim, put } = await given([]);
    await using _closed = database;
    for (const caller of ['alice', 'alice', 'alice', 'bob', 'carol', 'carol'])
      await put({ caller });

    const claims = [
      await claim('one', { served: ['bob', 'alice'] }),
      await claim('one', { served: ['bob', 'alice', 'carol'] }),
      await claim('one', { served: ['alice', 'carol', 'bob'] }),
      await claim('one', { busyTargets: ['other'], served: ['alice', 'bob'] }),
      await claim('one'),
    ];

    const callers = claims.map((each) => each?.caller);
    expect(callers).toEqual(['carol', 'bob', 'alice', 'carol', 'alice']);
  });

  test('is given for another caller although more than 1,000 of one are due', async () => {
    const { database, claim, put } = await given([]);
    await using _closed = database;
    const jobId = await givenJob(database, 1, { caller: 'alice' });
    await insertAttempt(database, { jobId, taskId: jobId, submittedAt: 1 });
    const row = { jobId, attempt: 1, target: 'default', caller: 'alice' };
    const place = { accountId: '1', region: 'r', taskId: 't', beganAt: 1 };
    const rows = Array.from({ length: 1_100 }, (_, slice) => ({ slice, dueAt: slice }));
    await database.queries
      .insertInto('verifications')
      .values(rows.map((times) => ({ ...row, ...place, ...times })))
      .execute();
    await put({ caller: 'bob' });

    const first = await claim('one');
    const second = await claim('one', { served: ['alice'] });

    expect([first?.caller, second?.caller]).toEqual(['alice', 'bob']);
  });

  test('is given for callers in turn, also if an older version began it', async () => {
    const { database, claim, put } = await given([]);
    await using _closed = database;
    for (const caller of ['alice', 'alice', 'bob']) await put({ caller });
    await database.queries.updateTable('verifications').set({ caller: '' }).execute();
    await put({ caller: 'alice' });

    const claims = [
      await claim('one'),
      await claim('one', { served: ['alice'] }),
      await claim('one', { served: ['alice', 'bob'] }),
      await claim('one', { served: ['alice', 'bob'] }),
    ];

    const found = claims.map((each) => each?.caller);
    expect(found).toEqual(['alice', 'bob', 'alice', 'alice']);
  });
});
