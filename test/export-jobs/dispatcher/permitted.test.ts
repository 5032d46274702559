import { describe, expect, test } from 'vitest';

import type { Asker, Question } from '#auth/authorization/authorizer.ts';
import type { CreateHow, OnBehalf } from '#aws/cloudwatch-logs.ts';
import type { CrashPoint } from '#export-jobs/dispatcher/slot.ts';
import type { OpenTarget } from '#targets/target.ts';
import { authorizerBy, principalOf, type Rule } from '../../access.ts';
import { region } from '../../world.ts';
import { jobOf } from '../callers.ts';
import { type Line, openLine } from '../queue-of-jobs.ts';

const problemsOf = async (line: Line, jobId: string) =>
  (await line.slices(jobId)).map(({ problem }) => problem && JSON.parse(problem).type);

/** An authorizer that remembers who asked what. */
function remembering(rule: Rule) {
  const asked: { asker: Asker; question: Question }[] = [];
  const authorizer = authorizerBy(rule);
  return {
    asked,
    authorizer: {
      ...authorizer,
      decide(asker: Asker, question: Question) {
        asked.push({ asker, question });
        return authorizer.decide(asker, question);
      },
    },
  };
}

/** Targets that remember on whose behalf they were called. */
function behalves() {
  const calls: [string, CreateHow | OnBehalf | undefined][] = [];
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

describe.each(['sqlite', 'postgres'] as const)('before a slice is sent, on %s', (home) => {
  test('its caller of then is asked about with the values AWS gets', async () => {
    const { asked, authorizer } = remembering(() => true);
    await using line = await openLine({ home, authorizer });
    const jobId = await jobOf('ann', line.database);

    await line.runUntilDone();

    const [task] = line.emulator.exportTasks();
    const { name, accountId } = line.targets.find(undefined);
    expect(asked).toEqual([
      {
        asker: { principal: principalOf('ann'), id: task?.taskName },
        question: {
          action: 'CreateExportJob',
          resource: { target: { name, accountId, region }, logGroupName: '/app' },
          context: {
            ...{ from: task?.from, to: task?.to, destination: 'archive', priority: 0 },
            destinationPrefix: `jobs/${jobId}`,
          },
        },
      },
    ]);
  });

  test('a policy that is withdrawn holds for what waits: AWS is not called, and the next goes on', async () => {
    let isPermitted = true;
    const authorizer = authorizerBy(({ subject }) => subject !== 'ann' || isPermitted);
    await using line = await openLine({ home, authorizer });
    const withdrawn = await jobOf('ann', line.database, { days: 3 });
    const other = await jobOf('bob', line.database, { days: 2 });
    await line.time.runUntil(async () => (await line.states(withdrawn))[0] === 'completed');

    isPermitted = false;
    await line.runUntilDone();

    expect(await line.states(withdrawn)).toEqual(['completed', 'failed', 'failed']);
    expect(await problemsOf(line, withdrawn)).toEqual([
      null,
      '/problems/not-permitted',
      '/problems/not-permitted',
    ]);
    expect(await line.states(other)).toEqual(['completed', 'completed']);
    expect(line.calls('CreateExportTask')).toHaveLength(3);
    const entries = await line.database.queries
      .selectFrom('auditEntries')
      .select(['principal', 'action', 'change', 'outcome', 'awsRequestId'])
      .where('jobId', '=', withdrawn)
      .where('change', '=', 'slice-failed')
      .execute();
    const denied = {
      ...{ principal: 'test#ann', action: 'CreateExportTask', change: 'slice-failed' },
      ...{ outcome: 'not-permitted', awsRequestId: null },
    };
    expect(entries).toEqual([denied, denied]);
  });
});

describe('before a slice is sent', () => {
  test('a prefix that becomes another with each attempt is decided as it is by then', async () => {
    const authorizer = authorizerBy(
      (_principal, { context }) => context?.destinationPrefix?.endsWith('/1') === true,
    );
    await using line = await openLine({ authorizer });
    line.emulator.faults.add({
      kind: 'error',
      operation: 'CreateExportTask',
      code: 'ThrottlingException',
    });
    const jobId = await line.put(); // to jobs/{jobId}/{attempt}

    await line.runUntilDone();

    expect(await problemsOf(line, jobId)).toEqual(['/problems/not-permitted']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
  });

  test('the caller of a job from before callers were told apart is its name alone', async () => {
    const { asked, authorizer } = remembering(() => true);
    await using line = await openLine({ authorizer });
    await line.put({ caller: 'anonymous' });

    await line.runUntilDone();

    expect(asked[0]?.asker.principal).toEqual({
      ...{ id: 'anonymous', issuer: 'none', subject: 'anonymous', groups: [], claims: {} },
    });
  });

  test.each<CrashPoint>(['after-intent', 'in-outcome'])(
    'a process that dies %s of a slice that is refused leaves it to the next, and AWS is not called',
    async (diesAt) => {
      await using line = await openLine({ replicas: 0, authorizer: authorizerBy(() => false) });
      const jobId = await line.put({ slices: 2 });
      const first = await line.openReplica({ diesAt });
      await line.time.runUntil(first.isDown);

      await line.openReplica();
      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(['failed', 'failed']);
      expect(line.calls('CreateExportTask')).toEqual([]);
    },
  );

  test('many that are refused do not keep out everybody else', async () => {
    let decided = 0;
    const authorizer = authorizerBy(() => ++decided < 0);
    await using line = await openLine({ authorizer });
    const jobId = await line.put({ slices: 50 });
    let turns = 0;
    const look = () => {
      turns += 1;
      if (decided < 50) setImmediate(look);
    };
    setImmediate(look);

    await line.runUntilDone();

    expect(new Set(await line.states(jobId))).toEqual(new Set(['failed']));
    expect(turns).toBeGreaterThanOrEqual(49);
  });
});

describe('calls to AWS for a slice', () => {
  test('are made on behalf of its caller, with what was permitted; looks are the gateway’s own', async () => {
    const { calls, seeTarget } = behalves();
    await using line = await openLine({ emulator: { runningMs: 60_000 }, seeTarget });
    const jobId = await jobOf('ann', line.database);
    await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');

    await line.cancel(jobId);
    await line.runUntilDone();

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
