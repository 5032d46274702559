import { expect, test } from 'vitest';

import { makeBodyBudget } from '#edge/body-budget.ts';
import { Problem } from '#problems/problem.ts';
import { toAwsError } from '#wire/protocol/problem-errors.ts';

import { routesOf } from '../routes-of.ts';
import { openWorld } from '../world.ts';
import { isShed, runHostile } from './hostile.ts';
import { changes, constants, forms, reads } from './hostile-routes.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

test('hostile requests go to every route', async () => {
  await using world = await openWorld({ jobs: {} });

  const routes = routesOf(world.app).filter((route) => !/^(?:HEAD|OPTIONS) /.test(route));

  const sent = [...changes, ...forms, ...[...reads, ...constants].map((path) => `GET ${path}`)];
  expect(sent.sort()).toEqual(routes.sort());
});

test('of the errors that AWS clients get, only those of an overload count as shed', () => {
  const take = makeBodyBudget({ bodiesBytes: 0, callerBodiesBytes: 0 });
  const overload = getError(() => take(undefined, 1));
  const others = ['database-unavailable', 'aws-timeout', 'request-timeout'] as const;
  const textOf = (problem: Problem) => JSON.stringify(toAwsError(problem));

  expect(textOf(overload)).toContain('ServiceUnavailableException');
  expect(isShed(textOf(overload))).toBe(true);
  for (const slug of others) {
    const text = textOf(new Problem(slug, 'Something else has failed.'));
    expect(text).toContain('ServiceUnavailableException');
    expect(isShed(text)).toBe(false);
  }
});

/** Returns the problem that a function throws. */
function getError(act: () => unknown): Problem {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('It has thrown no problem.');
}

test(`300 hostile requests end no gateway, and none is answered 5xx (seed ${seed})`, async () => {
  const report = await runHostile({ count: 300, seed, preload: 'test/idle-loop.ts' });

  const { requests, failures, shedShare, byStatus, halfSent, live } = report;
  expect([requests, failures]).toEqual([expect.any(Number), []]);
  expect(shedShare, JSON.stringify(report)).toBe(0);
  expect(requests).toBeGreaterThanOrEqual(300);
  expect(halfSent).toBeGreaterThanOrEqual(119);
  expect(live.failures).toBe(0);
  expect(live.probes).toBeGreaterThan(0);
  expect(Object.keys(byStatus.forbidden)).toEqual(expect.arrayContaining(['403', '404', '415']));
  expect(Object.keys(byStatus.permitted)).toEqual(expect.arrayContaining(['400', '404', '413']));
  expect(Object.keys(byStatus.forbidden)).not.toContain('201');
  expect(Object.keys(byStatus.forbidden)).not.toContain('202');
  expect(Object.keys(byStatus.unknown)).toContain('401');
});
