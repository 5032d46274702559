import { describe, expect, test } from 'vitest';

import type { CallerRequest, Question } from '#auth/authorization/authorizer.ts';
import type { CallOptions, CreateCallOptions } from '#aws/call-options.ts';
import type { CrashPoint } from '#export-jobs/dispatcher/owned-slot.ts';
import type { OpenTarget } from '#targets/target.ts';
import { authorizerBy, principalOf, type Rule } from '../../access.ts';
import { region } from '../../world.ts';
import { jobOf } from '../jobs-of-callers.ts';
import { openQueue, type Queue } from '../open-queue.ts';

const problemsOf = async (queue: Queue, jobId: string) =>
  (await queue.slices(jobId)).map(({ problem }) => problem && JSON.parse(problem).type);

/** An authorizer that records its questions. */
function remembering(rule: Rule) {
  const asked: { request: CallerRequest; question: Question }[] = [];
  const authorizer = authorizerBy(rule);
  return {
    asked,
    authorizer: {
      ...authorizer,
      decide(request: CallerRequest, question: Question) {
        asked.push({ request, question });
        return authorizer.decide(request, question);
      },
    },
  };
}

/** Targets that record the caller of each call. */
function behalves() {
  const calls: [string, CreateCallOptions | CallOptions | undefined][] = [];
  const seeTarget = (target: OpenTarget): OpenTarget => ({
    ...target,
    logs: {
      ...target.logs,
      createExportTask(task, how) {
        calls.push(['create', how]);
        return target.logs.createExportTask(task, how);
      },
      cancelExportTask(taskId, how) {
        calls.push(['cancel', how]);
        return target.logs.cancelExportTask(taskId, how);
      },
      describeExportTasks(query, how) {
        calls.push(['describe', how]);
        return target.logs.describeExportTasks(query, how);
      },
    },
  });
  return { calls, seeTarget };
}

describe.each(['sqlite', 'postgres'] as const)('the authorization of a slice, on %s', (backend) => {
  test('decides for the stored principal, with the values that AWS gets', async () => {
    const { asked, authorizer } = remembering(() => true);
    await using queue = await openQueue({ backend, authorizer });
    const jobId = await jobOf('ann', queue.database);

    await queue.runUntilDone();

    const [task] = queue.emulator.exportTasks();
    const { name, accountId } = queue.targets.find(undefined);
    expect(asked).toEqual([
      {
        request: { principal: principalOf('ann'), id: task?.taskName },
        question: {
          action: 'CreateExportJob',
          resource: { target: { name, accountId, region }, logGroupName: '/app' },
          context: {
            from: task?.from,
            to: task?.to,
            destination: 'archive',
            priority: 0,
            destinationPrefix: `jobs/${jobId}`,
          },
        },
      },
    ]);
  });

  test('fails a waiting slice whose policy is withdrawn, without a call to AWS, and continues', async () => {
    let isPermitted = true;
    const authorizer = authorizerBy(({ subject }) => subject !== 'ann' || isPermitted);
    await using queue = await openQueue({ backend, authorizer });
    const withdrawn = await jobOf('ann', queue.database, { days: 3 });
    const other = await jobOf('bob', queue.database, { days: 2 });
    await queue.time.runUntil(async () => (await queue.states(withdrawn))[0] === 'verifying');

    isPermitted = false;
    await queue.runUntilDone();

    expect(await queue.states(withdrawn)).toEqual(['completed', 'failed', 'failed']);
    expect(await problemsOf(queue, withdrawn)).toEqual([
      null,
      '/problems/not-permitted',
      '/problems/not-permitted',
    ]);
    expect(await queue.states(other)).toEqual(['completed', 'completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(3);
    const entries = await queue.database.queries
      .selectFrom('auditEntries')
      .select(['principal', 'action', 'change', 'outcome', 'awsRequestId'])
      .where('jobId', '=', withdrawn)
      .where('change', '=', 'slice-failed')
      .execute();
    const denied = {
      principal: 'test#ann',
      action: 'CreateExportTask',
      change: 'slice-failed',
      outcome: 'not-permitted',
      awsRequestId: null,
    };
    expect(entries).toEqual([denied, denied]);
  });
});

describe('the authorization of a slice', () => {
  test('decides each attempt with its own prefix', async () => {
    const authorizer = authorizerBy(
      (_principal, { context }) => context?.destinationPrefix?.endsWith('/1') === true,
    );
    await using queue = await openQueue({ authorizer });
    queue.emulator.faults.add({
      kind: 'error',
      operation: 'CreateExportTask',
      code: 'ThrottlingException',
    });
    const jobId = await queue.put(); // to jobs/{jobId}/{attempt}

    await queue.runUntilDone();

    expect(await problemsOf(queue, jobId)).toEqual(['/problems/not-permitted']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });

  test('decides an older job without a principal by the name of its caller', async () => {
    const { asked, authorizer } = remembering(() => true);
    await using queue = await openQueue({ authorizer });
    await queue.put({ caller: 'anonymous' });

    await queue.runUntilDone();

    expect(asked[0]?.request.principal).toEqual({
      id: 'anonymous',
      issuer: 'none',
      subject: 'anonymous',
      groups: [],
      claims: {},
    });
  });

  test.each<CrashPoint>(['after-intent', 'in-outcome'])(
    'ends a refused slice after the process died at %s, without a call to AWS',
    async (diesAt) => {
      await using queue = await openQueue({ replicas: 0, authorizer: authorizerBy(() => false) });
      const jobId = await queue.put({ slices: 2 });
      const first = await queue.openReplica({ diesAt });
      await queue.time.runUntil(first.isDown);

      await queue.openReplica();
      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(['failed', 'failed']);
      expect(queue.calls('CreateExportTask')).toEqual([]);
    },
  );

  test('leaves slices in the queue while there is no policy at all, and starts them afterwards', async () => {
    let isWithout = true;
    const authorizer = {
      ...authorizerBy(() => !isWithout),
      isWithoutPolicies: () => isWithout,
    };
    await using queue = await openQueue({ authorizer });
    const jobId = await queue.put({ slices: 2 });

    await queue.time.runFor(60_000);
    const before = await queue.states(jobId);
    isWithout = false;
    await queue.runUntilDone();

    expect(before).toEqual(['waiting', 'waiting']);
    expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
  });

  test('lets other requests run during many refusals', async () => {
    let decided = 0;
    const authorizer = authorizerBy(() => ++decided < 0);
    await using queue = await openQueue({ authorizer });
    const jobId = await queue.put({ slices: 50 });
    let turns = 0;
    const look = () => {
      turns += 1;
      if (decided < 50) setImmediate(look);
    };
    setImmediate(look);

    await queue.runUntilDone();

    expect(new Set(await queue.states(jobId))).toEqual(new Set(['failed']));
    expect(turns).toBeGreaterThanOrEqual(49);
  });
});

describe('calls to AWS for a slice', () => {
  test('are made for its caller with the granted values, except for reads of the gateway', async () => {
    const { calls, seeTarget } = behalves();
    await using queue = await openQueue({ emulator: { runningMs: 60_000 }, seeTarget });
    const jobId = await jobOf('ann', queue.database);
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');

    await queue.cancel(jobId);
    await queue.runUntilDone();

    const made = calls.filter(([verb]) => verb !== 'describe');
    const grant = {
      logGroupName: '/app',
      destination: 'archive',
      destinationPrefix: `jobs/${jobId}`,
    };
    expect(made).toEqual([
      ['create', { maySend: expect.any(Function), caller: 'test#ann', grant }],
      ['cancel', { caller: 'test#ann' }],
    ]);
    const looks = calls.filter(([verb]) => verb === 'describe');
    expect(looks.length).toBeGreaterThan(0);
    expect(looks.filter(([, how]) => how?.caller !== undefined)).toEqual([]);
  });
});
