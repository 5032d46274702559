import { describe, expect, test } from 'vitest';

import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import { toProblem } from '#problems/plugin.ts';
import type { OpenTarget, Targets } from '#targets/target.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { buildApp } from '../src/app.ts';
import { createBody, openWorld } from './world.ts';

/** Builds the service with targets that a test controls. */
async function openApp(find: Targets['find']) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const app = await buildApp({
    log: makeLogger('info', destination),
    targets: {
      find,
      look: () => undefined,
      list: () => [],
      listSinks: () => [],
      forDispatcher: () => undefined,
      listDraining: () => [],
      whyClosed: () => undefined,
      onChange: () => {},
      release: () => {},
      configure: () => {},
      recheck: () => {},
      whenReady: Promise.resolve(),
      whyNotReady: () => undefined,
      async [Symbol.asyncDispose]() {},
    },
    access: openToAll,
    audit: makeAudit({ write() {} }),
    isStopping: () => false,
    now: Date.now,
    elapsed: () => performance.now(),
    sleep: async () => {},
    random: () => 0,
    loopDelayMs: () => 0,
    rateLimits: { createsPerMinute: 0, requestsPerMinute: 0 },
    newId: () => '0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11',
  });
  return { app, lines };
}

test('has no time limit for a start, so a busy machine does not end it', async () => {
  const { app } = await openApp(() => {
    throw new Error('not called');
  });

  expect(app.initialConfig.pluginTimeout).toBe(0);
  await app.close();
});

describe('a request that meets a defect', () => {
  test('returns 500 without the text of the error and logs that text', async () => {
    const { app, lines } = await openApp(() => {
      throw new TypeError('secret internals');
    });

    const answer = await app.inject({ url: '/export-tasks' });

    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({
      type: '/problems/internal-error',
      instance: 'urn:uuid:0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11',
    });
    expect(answer.body).not.toContain('secret internals');
    expect(lines.join('')).toContain('secret internals');
    await app.close();
  });
});

describe('a request whose operation does not end', () => {
  test('returns 504 aws-timeout if it is safe to repeat', async () => {
    await using world = await openWorld({ limits: { handlerMs: 100 } });
    world.emulator.faults.add({ operation: 'DescribeExportTasks', kind: 'silence-before' });

    const answer = await world.call('GET', '/export-tasks');

    expect([answer.status, answer.body.type]).toEqual([504, '/problems/aws-timeout']);
  });
});

test('returns 504 outcome-unknown for a create', () => {
  const error = Object.assign(new Error('limit'), { code: 'FST_ERR_HANDLER_TIMEOUT' });
  const config = { timeoutProblem: 'outcome-unknown' } as const;

  const problem = toProblem(error, { raw: { complete: true }, routeOptions: { config } } as never);

  expect(problem.slug).toBe('outcome-unknown');
});

describe('an unexpected error of an AWS call', () => {
  test('does not reach the answer of a create', async () => {
    const createExportTask = async () =>
      ({ outcome: 'unknown', cause: new Error('arn:aws:iam::1') }) as const;
    const describeExportTasks = async () => {
      throw new Error('arn:aws:iam::1');
    };
    const logs = { createExportTask, describeExportTasks };
    const { app } = await openApp(() => ({ logs }) as unknown as OpenTarget);

    const answer = await app.inject({ method: 'POST', url: '/export-tasks', payload: createBody });

    expect(answer.statusCode).toBe(504);
    expect(answer.body).not.toContain('arn:');
    await app.close();
  });
});
