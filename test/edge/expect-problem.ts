import { expect } from 'vitest';

import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import type { LogLine, World } from '../world.ts';
import type { RawAnswer } from './raw.ts';

const inside =
  /arn:aws|\.[jt]s:\d|node_modules|\bat async\b|AKIDTEST|secret-of-the-test|FST_ERR|HPE_/;

/** Asserts that an answer is the complete problem, that its type is explained, and that it has exactly one log line. */
export async function expectProblem(
  world: World,
  answer: RawAnswer | undefined,
  slug: ProblemSlug,
): Promise<LogLine> {
  const { status, retryAfterSeconds } = { retryAfterSeconds: undefined, ...catalogue[slug] };
  expect(answer).toMatchObject({
    status,
    headers: {
      'content-type': expect.stringMatching(/^application\/problem\+json(?:; charset=utf-8)?$/),
      'x-request-id': expect.stringMatching(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
  });
  const requestId = answer?.headers['x-request-id'];
  const problem = JSON.parse(answer?.text ?? '');
  expect(problem).toMatchObject({
    type: `/problems/${slug}`,
    status,
    title: catalogue[slug].title,
    detail: expect.stringMatching(/\S/),
    instance: `urn:uuid:${requestId}`,
  });
  expect(answer?.text).not.toMatch(inside);
  expect((await world.call('GET', problem.type)).body.slug).toBe(slug);
  return expectOneLine(world, requestId);
}

/** Asserts that a request has exactly one line in the log, and returns it. */
export async function expectOneLine(world: World, requestId: string | undefined): Promise<LogLine> {
  const lines = () => world.log.filter((line) => line.requestId === requestId);
  await expect.poll(lines, { interval: 2 }).toHaveLength(1);
  return lines()[0] ?? {};
}
