import { describe, expect, test } from 'vitest';

import { type CliOptions, runCli } from './run-cli.ts';

/** A clock that only sleeping moves, and the pauses of a command. */
function sleepingClock() {
  const clock = { now: 0 };
  const slept: number[] = [];
  return {
    clock,
    slept,
    now: () => clock.now,
    async sleep(ms: number) {
      slept.push(ms);
      clock.now += ms;
    },
  };
}

const problem = (status: number, headers: Record<string, string> = {}) =>
  Response.json(
    {
      type: '/problems/of-the-test',
      title: 'Refused',
      status,
      detail: 'Detail.',
      remedy: 'Wait.',
      instance: 'urn:uuid:0',
      isRetryable: status === 429,
    },
    { status, headers: { 'content-type': 'application/problem+json', ...headers } },
  );

const job = (state: string, waiting: number) => ({
  id: '1',
  state,
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-02T00:00:00Z',
  acceptedAt: '2024-05-02T00:00:00Z',
  sliceCounts: {
    waiting,
    starting: 0,
    running: 0,
    cancelling: 0,
    verifying: 0,
    completed: 10_000 - waiting,
    failed: 0,
    cancelled: 0,
    split: 0,
  },
  failures: [],
  links: {},
});

describe('the last poll before the deadline', () => {
  test.each(
    ['', ' --json'].flatMap((option) =>
      [
        [401, 3],
        [403, 3],
        [404, 1],
      ].map(([status = 0, code = 0]) => ({ option, status, code })),
    ),
  )(
    'keeps its refusal: watch$option ends with code $code after $status',
    async ({ option, status, code }) => {
      const { clock, ...surroundings } = sleepingClock();
      const late = async () => {
        clock.now += 61_000;
        return problem(status);
      };

      const run = await runCli(`watch 1 --timeout 1m${option}`, { ...surroundings, fetch: late });

      expect(run.code).toBe(code);
      expect(run.stderr).toContain(`Refused (${status} of-the-test)`);
      expect(run.stderr).not.toContain('not ended in time');
    },
  );
});
