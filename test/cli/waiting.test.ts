import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';

import { bringTo, givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { insertAttempt } from '../export-jobs/insert-rows.ts';
import { jobOf } from '../export-jobs/jobs-of-callers.ts';
import { openWorld, type World } from '../world.ts';
import { runCli } from './run-cli.ts';

const order = '/app --from 2024-05-01 --to 2024-05-03 --slice-by day --destination archive';

/** Brings a slice of a job into a state when the command waits for a change. */
async function change(
  world: World,
  jobId: string,
  ...[slice, state, problem]: [slice: number, state: 'completed' | 'failed', problem?: object]
): Promise<void> {
  await world.waitFor(() => world.waiting() > 0);
  await bringTo(world.database, jobId, slice, state, problem);
  world.jobChanged(jobId);
}

/** Reads the output while the command runs. */
function readOutput() {
  let text = '';
  const seen = async (pattern: RegExp) => {
    let found: RegExpExecArray | null = null;
    while (!found) {
      found = pattern.exec(text);
      await new Promise(setImmediate);
    }
    return found[1] ?? '';
  };
  return {
    onOutput: (part: string) => {
      text += part;
    },
    seen,
    jobId: () => seen(/^Job ([0-9a-f-]{36}): /m),
  };
}

describe('run', () => {
  test('returns at once, with the id of the job', async () => {
    await using world = await openWorld({ jobs: {} });

    const { code, stdout, stderr } = await runCli(`run ${order}`, {
      env: { LOG_EXPORT_URL: world.url },
    });

    const [, id] = /^Job ([0-9a-f-]{36}): 2 slices, waiting\n$/.exec(stdout) ?? [];
    expect(code).toBe(0);
    expect(stderr).toBe(
      `Time range: 2024-05-01T00:00:00Z to 2024-05-03T00:00:00Z (UTC)
Idempotency key: cli-61ab1e5b8d5f27d6b1f1b1f0f0f0f0f0
Follow it with: log-export watch ${id}
`.replace(/cli-\w+/, /cli-[0-9a-f]{32}/.exec(stderr)?.[0] ?? ''),
    );
  });

  test('sends everything that its options say', async () => {
    const sent: unknown[] = [];
    const remember: typeof fetch = async (url, init) => {
      sent.push(String(url), JSON.parse(String(init?.body)));
      return Response.json({}, { status: 202 });
    };

    await runCli(
      "run /b /a /b --from 2024-05-01T08:00Z --to 2024-05-02 --time-zone Europe/Berlin --destination bucket --destination-prefix p/{jobId} --log-stream-prefix web --target other --slice-by hour --name 'two words' --priority -3 --verification count --allow-unsettled",
      { fetch: remember },
    );

    expect(sent).toEqual([
      'http://127.0.0.1:8080/export-jobs?target=other',
      {
        name: 'two words',
        logGroupNames: ['/a', '/b'],
        logStreamNamePrefix: 'web',
        from: '2024-05-01T08:00:00Z',
        to: '2024-05-01T22:00:00Z',
        destination: 'bucket',
        destinationPrefix: 'p/{jobId}',
        sliceBy: 'hour',
        timeZone: 'Europe/Berlin',
        priority: -3,
        verification: 'count',
        allowUnsettled: true,
      },
    ]);
  });

  test('returns the same job for the same arguments, and another one for another key', async () => {
    await using world = await openWorld({ jobs: {} });
    const env = { LOG_EXPORT_URL: world.url };
    const relative = '/app --from -7d --to today --destination archive';
    const dayAt = (time: string) => () => Date.parse(`2024-05-10T${time}Z`);

    const first = await runCli(`run ${relative}`, { env, now: dayAt('08:00:00') });
    const again = await runCli(`run ${relative}`, { env, now: dayAt('23:59:59') });
    const other = await runCli(`run ${relative} --idempotency-key other`, { env });

    expect(again.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
    expect(other.stderr).toContain('Idempotency key: other\n');
  });

  test('says that the job is an earlier one', async () => {
    const longAgo = Date.parse('2024-05-10T08:00:00Z');
    await using world = await openWorld({ jobs: { clock: () => longAgo } });

    const { stderr } = await runCli(`run ${order}`, { env: { LOG_EXPORT_URL: world.url } });

    expect(stderr).toContain('The job exists since 2024-05-10T08:00:00.000Z: an earlier command');
  });

  test('shows each error of an invalid request, and ends with code 2', async () => {
    await using world = await openWorld({ jobs: {} });

    const { code, stderr } = await runCli(`run ${order} --priority 11 --verification some`, {
      env: { LOG_EXPORT_URL: world.url },
    });

    expect(code).toBe(2);
    expect(stderr).toContain('(400 invalid-request)');
    expect(stderr).toMatch(/^ {2}body #\/priority: .*\n {2}body #\/verification: /m);
  });
});

describe('run --wait', () => {
  test('shows the progress, and ends with code 0 when the job is completed', async () => {
    await using world = await openWorld({ jobs: {} });
    const { jobId, onOutput, seen } = readOutput();

    const running = runCli(`run ${order} --wait`, {
      env: { LOG_EXPORT_URL: world.url, NO_COLOR: '1' },
      columns: 80,
      onOutput,
    });
    const id = await jobId();
    await change(world, id, 0, 'completed');
    await seen(/K1\/2/);
    await change(world, id, 1, 'completed');
    const { code, stdout } = await running;

    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        `Job ${id}: 2 slices, waiting\n`,
        '\r\u001b[K0/2',
        '\r\u001b[K1/2',
        '\r\u001b[K2/2\n',
        `Job ${id} completed: 2 slices.\n`,
      ].join(''),
    );
  });

  test('writes lines in a pipe, and ends with code 1 when the job has failed', async () => {
    await using world = await openWorld({ jobs: {} });
    const { jobId, onOutput, seen } = readOutput();

    const running = runCli(`run ${order} --wait`, {
      env: { LOG_EXPORT_URL: world.url },
      now: () => Date.parse('2024-05-10T12:00:00Z'),
      onOutput,
    });
    const id = await jobId();
    await change(world, id, 0, 'completed');
    await seen(/Z running 1\/2/);
    await change(world, id, 1, 'failed', sliceProblem('aws-unexpected'));
    const { code, stdout } = await running;

    expect(code).toBe(1);
    expect(stdout).toBe(
      `Job ${id}: 2 slices, waiting
2024-05-10T12:00:00Z waiting 0/2
2024-05-10T12:00:00Z running 1/2
2024-05-10T12:00:00Z failed 1/2 · 1 failed
Job ${id} failed: 1 of 2 slices.
1 slice: It failed (aws-unexpected)
  It failed.
  Remedy: Try again.
Export the failed slices again: log-export retry ${id}
`,
    );
  });

  test('prints only the last document with --json', async () => {
    await using world = await openWorld({ jobs: {} });
    const env = { LOG_EXPORT_URL: world.url };
    const accepted = await runCli(`run ${order} --json`, { env });
    const { id } = JSON.parse(accepted.stdout);

    const { onOutput, seen } = readOutput();
    const running = runCli(`run ${order} --json --wait`, { env, onOutput });
    await change(world, id, 0, 'completed');
    await seen(/Z running 1\/2/);
    await change(world, id, 1, 'completed');
    const { stdout, stderr } = await running;

    expect(stdout).toBe((await world.call('GET', `/export-jobs/${id}`)).text);
    expect(stderr).toMatch(/Z waiting 0\/2\n.*Z running 1\/2\n.*Z completed 2\/2\n$/);
  });

  test('ends with code 4 when its time is over', async () => {
    await using world = await openWorld({ jobs: {} });
    const clock = { now: Date.now() };
    const running = runCli(`run ${order} --wait --timeout 10m`, {
      env: { LOG_EXPORT_URL: world.url },
      now: () => clock.now,
      onOutput: (text) => {
        if (text.includes(' waiting 0/2')) clock.now += 600_000;
      },
    });

    const { code, stderr } = await running;

    expect(code).toBe(4);
    expect(stderr).toMatch(
      /log-export: The job has not ended in time\. The job goes on\. Come back with:\n {2}log-export watch [0-9a-f-]{36}\n$/,
    );
    expect((await world.call('GET', '/export-jobs')).body.exportJobs).toMatchObject([
      { state: 'waiting' },
    ]);
  });

  test('leaves the job alone on Ctrl-C, and says how to come back', async () => {
    await using world = await openWorld({ jobs: {} });
    const { jobId, onOutput } = readOutput();
    const interrupted = new AbortController();

    const running = runCli(`run ${order} --wait`, {
      env: { LOG_EXPORT_URL: world.url },
      columns: 80,
      interrupted: interrupted.signal,
      onOutput,
    });
    const id = await jobId();
    await world.waitFor(() => world.waiting() > 0);
    interrupted.abort();
    const { code, stdout, stderr } = await running;

    expect(code).toBe(130);
    expect(stdout.endsWith('\n')).toBe(true);
    expect(stderr).toContain(`The job goes on. Come back with:\n  log-export watch ${id}\n`);
    expect((await world.call('GET', `/export-jobs/${id}`)).body.state).toBe('waiting');
  });

  test('says on Ctrl-C before the answer that the key finds the job', async () => {
    const interrupted = new AbortController();
    const server = createServer(() => interrupted.abort()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };

    const { code, stderr } = await runCli(`run ${order}`, {
      env: { LOG_EXPORT_URL: `http://127.0.0.1:${port}` },
      interrupted: interrupted.signal,
    });
    server.close();

    expect(code).toBe(130);
    expect(stderr).toContain('It is not known whether the job was accepted.');
  });
});

describe('a job whose every attempt is refused', () => {
  const refusal = `Attempt at 2024-05-10T12:00:00.000Z: It failed (service-role-unusable)
  AWS does not accept the credentials.
  Remedy: Try again.
  The gateway sends the slice again.
`;

  async function openRefusedJob() {
    const world = await openWorld({ jobs: {} });
    const id = await givenJob(world.database, 3);
    const refuse = (at: string, type: string, slice: number, attempt: number) =>
      insertAttempt(world.database, {
        jobId: id,
        slice,
        attempt,
        submittedAt: Date.parse(at),
        endedAt: Date.parse(at),
        outcome: 'refused',
        problem: JSON.stringify(sliceProblem(type, 'AWS does not accept the credentials.')),
      });
    await refuse('2024-05-10T11:00:00Z', 'aws-throttled', 0, 1);
    await refuse('2024-05-10T11:30:00Z', 'aws-throttled', 1, 1);
    await refuse('2024-05-10T12:00:00Z', 'service-role-unusable', 1, 2);
    return { world, id, env: { LOG_EXPORT_URL: world.url }, refuse };
  }

  test('has the problem of its last attempt in show, with the remedy', async () => {
    const { world, id, env } = await openRefusedJob();
    await using _world = world;

    const { stdout } = await runCli(`show ${id}`, { env });
    await bringTo(world.database, id, 0, 'running');
    const running = await runCli(`show ${id}`, { env });

    expect(stdout.endsWith(refusal)).toBe(true);
    expect(running.stdout).not.toContain('Attempt at');
  });

  test('shows why AWS accepts no create in another job, which has no attempt', async () => {
    const { world, env } = await openRefusedJob();
    await using _world = world;
    const other = await givenJob(world.database, 1);

    const { stdout } = await runCli(`show ${other}`, { env });

    expect(stdout).toContain(
      'Nothing starts: Unusable service role credentials (service-role-unusable)',
    );
  });

  test('has each problem once in watch', async () => {
    const { world, id, env, refuse } = await openRefusedJob();
    await using _world = world;

    const { onOutput, seen } = readOutput();
    const running = runCli(`watch ${id}`, { env, onOutput });
    await world.waitFor(() => world.waiting() > 0);
    await refuse('2024-05-10T13:00:00Z', 'service-role-unusable', 2, 1);
    await change(world, id, 0, 'completed');
    await seen(/Z running 1\/3/);
    await change(world, id, 1, 'completed');
    await change(world, id, 2, 'completed');
    const { code, stderr } = await running;

    expect({ code, stderr }).toEqual({ code: 0, stderr: refusal });
  });

  test('has the problem of its last attempt, also behind many other waiting slices', async () => {
    await using world = await openWorld({ jobs: {} });
    const id = await givenJob(world.database, 130);
    const refusedAt = Date.parse('2024-05-10T12:00:00Z');
    const refuse = (slice: number, type: string, submittedAt: number) =>
      insertAttempt(world.database, {
        jobId: id,
        slice,
        submittedAt,
        endedAt: submittedAt,
        outcome: 'refused',
        problem: JSON.stringify(sliceProblem(type, 'AWS does not accept the credentials.')),
      });
    await refuse(0, 'aws-throttled', refusedAt - 3_600_000);
    await refuse(125, 'service-role-unusable', refusedAt);

    const { stdout } = await runCli(`show ${id}`, { env: { LOG_EXPORT_URL: world.url } });

    expect(stdout.endsWith(refusal)).toBe(true);
  });

  test('has the problem of its target in show, with the remedy', async () => {
    await using world = await openWorld({ jobs: {} });
    const id = await givenJob(world.database, 1, { facts: { target: 'removed' } });

    const { stdout } = await runCli(`show ${id}`, { env: { LOG_EXPORT_URL: world.url } });

    expect(stdout).toMatch(
      /\nNothing starts: [^\n]+ \(target-not-found\)\n {2}[^\n]+\n {2}Remedy: Ask the operator [^\n]+ \(log-export cancel <job id>\)\.\n$/,
    );
  });
});

describe('watch', () => {
  test('proposes no retry for a job of an archive, which would be refused', async () => {
    await using world = await openWorld({ jobs: {} });
    const facts = { archiveId: randomUUID() };
    const jobId = await jobOf('anonymous', world.database, facts);
    await bringTo(world.database, jobId, 0, 'failed', sliceProblem('aws-unexpected'));

    const { code, stdout } = await runCli(`watch ${jobId}`, {
      env: { LOG_EXPORT_URL: world.url },
    });

    expect(code).toBe(1);
    expect(stdout).toContain(`Job ${jobId} failed: 0 of 1 slice.`);
    expect(stdout).not.toContain('log-export retry');
  });

  test('ends with code 1 when the job was cancelled', async () => {
    await using world = await openWorld({ jobs: {} });
    const env = { LOG_EXPORT_URL: world.url };
    const id = await givenJob(world.database, 2);

    const running = runCli(`watch ${id}`, { env });
    await world.waitFor(() => world.waiting() > 0);
    const cancelled = await runCli(`cancel ${id}`, { env });
    const { code, stdout } = await running;

    expect(cancelled).toMatchObject({ code: 0, stdout: `Job ${id} cancelled\n` });
    expect(code).toBe(1);
    expect(stdout).toContain(`Job ${id} cancelled: 0 of 2 slices.\n`);
  });

  test.each(['', ' --json'])(
    'ends with code 4 when its time is over while the gateway is away: watch%s',
    async (option) => {
      const clock = { now: 0 };

      const { code, stderr } = await runCli(`watch 1 --timeout 1m${option}`, {
        fetch: () =>
          Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })),
        now: () => clock.now,
        sleep: async (ms) => {
          clock.now += ms;
        },
      });

      expect({ code, now: clock.now }).toEqual({ code: 4, now: 60_000 });
      expect(stderr).toMatch(/The job has not ended in time\..*\n {2}log-export watch 1\n$/);
    },
  );

  test('prints each event once with --json, also after its stream ended', async () => {
    await using world = await openWorld({ jobs: {} });
    const id = await givenJob(world.database, 2);
    const { onOutput, seen } = readOutput();
    let streams = 0;
    /** Ends the first stream after its first event. */
    const ending: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).endsWith('/events')) return response;
      streams += 1;
      if (streams > 1) return response;
      const text = new TextDecoder();
      const body = response.body?.pipeThrough(
        new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
          transform(part, controller) {
            controller.enqueue(part);
            if (text.decode(part).includes('job-accepted')) controller.terminate();
          },
        }),
      );
      return new Response(body ?? null, response);
    };

    const running = runCli(`watch ${id} --json`, {
      env: { LOG_EXPORT_URL: world.url },
      fetch: ending,
      onOutput,
    });
    await seen(/job-accepted/);
    await change(world, id, 0, 'completed');
    await seen(/slice-completed/);
    await change(world, id, 1, 'completed');
    const { code, stdout, stderr } = await running;

    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(streams).toBe(2);
    expect(events.map(({ id, event }) => `${id} ${event}`)).toEqual([
      '1 job-accepted',
      '2 slice-completed',
      '3 slice-completed',
      '3 job-ended',
    ]);
    expect(events.at(-1).data).toMatchObject({ jobId: id, state: 'completed' });
    expect(stderr).not.toContain('does not answer');
  });

  test('prints the end of the job if the stream broke before it', async () => {
    await using world = await openWorld({ jobs: {} });
    const id = await givenJob(world.database, 1);
    await bringTo(world.database, id, 0, 'completed');
    let streams = 0;
    /** Omits the end of the first stream. */
    const cutting: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).endsWith('/events')) return response;
      streams += 1;
      if (streams > 1) return response;
      const text = await response.text();
      return new Response(text.slice(0, text.lastIndexOf('id: ')), response);
    };

    const { code, stdout } = await runCli(`watch ${id} --json`, {
      env: { LOG_EXPORT_URL: world.url },
      fetch: cutting,
    });

    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(events.at(-1)).toMatchObject({
      id: '2',
      event: 'job-ended',
      data: { jobId: id, state: 'completed', at: expect.any(String) },
    });
    expect(events).toHaveLength(3);
  });

  test('ends with code 5 when the stream is silent for too long', async () => {
    await using world = await openWorld({ jobs: {} });
    const id = await givenJob(world.database, 1);
    let at = 0;
    const silent = () => AbortSignal.abort();

    const { code, stderr } = await runCli(`watch ${id} --json`, {
      env: { LOG_EXPORT_URL: world.url },
      timeout: silent,
      now: () => {
        at += 60_000;
        return at;
      },
    });

    expect(code).toBe(5);
    expect(stderr).toContain('does not answer: nothing arrived for some time.');
  });

  test('ends with code 1 for a job that does not exist, with and without --json', async () => {
    await using world = await openWorld({ jobs: {} });
    const env = { LOG_EXPORT_URL: world.url };

    for (const line of ['watch nowhere', 'watch nowhere --json']) {
      const { code, stdout, stderr } = await runCli(line, { env });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('(404 export-job-not-found)');
    }
  });
});
