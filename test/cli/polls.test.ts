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

describe('an event stream', () => {
  const streamOf = (pull: UnderlyingDefaultSource<Uint8Array>['pull']) =>
    new Response(new ReadableStream({ pull: pull ?? (() => {}) }, { highWaterMark: 0 }), {
      headers: { 'content-type': 'text/event-stream' },
    });
  const begin = new TextEncoder().encode('retry: 1000\n\n');
  const env = { LOG_EXPORT_URL: 'http://127.0.0.1:8080/base' };
  const follow = (options: CliOptions) =>
    runCli('watch 1 --json', { env, random: () => 1, ...options });

  test('that always ends at once counts as away: with growing pauses, and code 5 at the end', async () => {
    const { slept, clock, ...surroundings } = sleepingClock();
    const endAtOnce = async () => {
      if (slept.length > 1_000) throw new Error('The command connects again for ever.');
      return streamOf((controller) => {
        controller.enqueue(begin);
        controller.close();
      });
    };

    const { code, stdout, stderr } = await follow({ ...surroundings, fetch: endAtOnce });

    const text = 'does not answer: its event stream ended at once.';
    expect({ code, stdout, now: clock.now }).toEqual({ code: 5, stdout: '', now: 300_000 });
    expect(slept.slice(0, 6)).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000]);
    expect(stderr.split('\n').map((line) => line.slice(line.indexOf('does')))).toEqual([
      `${text} Trying again for 5 minutes.`,
      text,
      '',
    ]);
  });

  test('that ends after 20 seconds, or after an event, is only opened again', async () => {
    const { slept, clock, ...surroundings } = sleepingClock();
    let requests = 0;
    const endLate = async () => {
      requests += 1;
      if (requests === 21) return new Response(null, { status: 204 });
      if (requests === 22) return Response.json(job('completed', 0));
      const isFirst = requests === 1;
      return streamOf((controller) => {
        if (!isFirst) clock.now += 20_000;
        const event = 'id: 1\nevent: job-accepted\ndata: {}\n\n';
        controller.enqueue(isFirst ? new TextEncoder().encode(event) : begin);
        controller.close();
      });
    };

    const { code, stderr } = await follow({ ...surroundings, fetch: endLate });

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(slept).toEqual(Array.from({ length: 20 }, () => 1_000));
  });

  test('counts as an answer after 20 seconds, with one message', async () => {
    const { slept: _, clock, ...surroundings } = sleepingClock();
    let requests = 0;
    const recover = async () => {
      requests += 1;
      if (requests === 4) return new Response(null, { status: 204 });
      if (requests === 5) return Response.json(job('completed', 0));
      const isLong = requests === 3;
      return streamOf((controller) => {
        clock.now += isLong ? 20_000 : 19_999;
        controller.enqueue(begin);
        controller.close();
      });
    };

    const { code, stderr } = await follow({ ...surroundings, fetch: recover });

    expect(code).toBe(0);
    expect(stderr).toMatch(
      /ended at once\. Trying again for 5 minutes\.\nThe gateway answers again\.\n$/,
    );
  });
});

describe('the slices of a large job', () => {
  const attempt = {
    submittedAt: '2024-05-10T12:00:00Z',
    problem: { type: '/problems/of-a-slice', title: 'It failed', detail: 'D.', remedy: 'R.' },
  };
  const page = Response.json.bind(undefined, {
    slices: [{ attempts: [attempt] }],
    nextCursor: 'next',
  });

  test('are read from the first page at each change, and from all pages once a minute', async () => {
    const { clock, ...surroundings } = sleepingClock();
    const pages: number[] = [];
    /** Changes the job each second for two minutes. */
    const answer: typeof fetch = async (url) => {
      if (String(url).includes('/slices')) {
        pages.push(clock.now);
        return page();
      }
      clock.now += 1_000;
      return Response.json(clock.now > 120_000 ? job('completed', 0) : job('waiting', 9_000));
    };

    const { code, stderr } = await runCli('watch 1', { ...surroundings, fetch: answer });

    const atOf = (second: number) => pages.filter((at) => at === second * 1_000).length;
    expect({ code, stderr: stderr.split('\n')[0] }).toEqual({
      code: 0,
      stderr: 'Attempt at 2024-05-10T12:00:00Z: It failed (of-a-slice)',
    });
    expect([1, 2, 60, 61, 62, 120].map(atOf)).toEqual([10, 1, 1, 10, 1, 1]);
  });

  test.each([1, 7])(
    'are unknown from page %i on if the gateway refuses it, and show goes on',
    async (refused) => {
      let pages = 0;
      const answer: typeof fetch = async (url) => {
        if (!String(url).includes('/slices')) return Response.json(job('waiting', 9_000));
        pages += 1;
        return pages === refused ? problem(429, { 'retry-after': '600' }) : page();
      };

      const { code, stdout, stderr } = await runCli('show 1', { fetch: answer, now: () => 0 });

      expect({ code, stderr, pages }).toEqual({ code: 0, stderr: '', pages: refused });
      expect(stdout).toContain('\nState\twaiting\n');
      expect(stdout.includes('Attempt at 2024-05-10T12:00:00Z')).toBe(refused > 1);
    },
  );
});

describe('Retry-After of a proxy', () => {
  const date = 'Fri, 10 May 2024 12:00:00 GMT';

  test.each([
    [429, { 'retry-after': '3' }, 3_000],
    [503, { 'retry-after': '3' }, 3_000],
    [503, { 'retry-after': 'Fri, 10 May 2024 12:00:04 GMT', date }, 4_000],
    [503, { 'retry-after': '600' }, 10_000],
    [503, { 'retry-after': 'Fri, 10 May 2024 11:00:00 GMT', date }, 125],
    [503, { 'retry-after': 'soon' }, 125],
    [503, {}, 125],
  ])('of a %i with %o is a pause of %i ms', async (status, headers: object, pause) => {
    const { slept, clock: _, ...surroundings } = sleepingClock();
    const answer = async () =>
      slept.length === 0
        ? new Response('<h1>Busy</h1>', { status, headers: { ...headers } })
        : Response.json({ exportJobs: [] });

    const { code, stderr } = await runCli('jobs', { ...surroundings, fetch: answer });

    expect({ code, slept }).toEqual({ code: 0, slept: [pause] });
    expect(stderr).toContain(`a proxy in front of it answers ${status}. Trying again for 10 s`);
  });
});
