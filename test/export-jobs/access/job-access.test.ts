import { beforeEach, expect, test } from 'vitest';
import { type JobAccess, makeJobAccess } from '#export-jobs/access/job-access.ts';
import type { JobHead } from '#export-jobs/store/reads/read-heads.ts';
import type { KnownTarget } from '#targets/target.ts';
import { authorizerBy, principalOf, type Rule } from '../../access.ts';

const target: KnownTarget = {
  state: 'ready',
  since: 0,
  problem: undefined,
  name: 'default',
  accountId: '123456789012',
  region: 'eu-west-1',
  isDefault: true,
};
const job: JobHead = {
  id: 'job',
  caller: 'test#ann',
  version: 1,
  target: 'default',
  destination: 'archive',
  prefixTemplate: 'jobs/{jobId}',
  timeZone: 'UTC',
  priority: 0,
  revision: 1,
  archiveId: null,
  taskParameters: null,
  acceptedAt: 1,
  logGroupName: '/a',
  fromAt: 0,
  hasMoreLogGroups: true,
  accountId: null,
  region: null,
};

// The steps in their order.
let done: string[];
let rule: Rule;
let version: number;
let known: KnownTarget;
let pages: (() => Promise<{ logGroupNames: string[]; next: number | undefined }>)[];
let access: JobAccess;

beforeEach(() => {
  done = [];
  rule = () => false;
  version = 1;
  known = target;
  pages = [];
  const authorizer = authorizerBy((principal, question) => {
    done.push(`decide ${question.action} ${question.resource.target.name}`);
    return rule(principal, question);
  });
  access = makeJobAccess({
    authorizer: { ...authorizer, version: () => version },
    lookTarget: (name = target.name) => (name === target.name ? known : undefined),
    async findJob(jobId) {
      done.push('head');
      if (jobId === 'deleted') return { id: jobId, caller: 'test#ann', deletedAt: 0 };
      return jobId === job.id ? job : undefined;
    },
    async readLogGroups(_head, from) {
      done.push(`log groups from ${from}`);
      const [read = async () => ({ logGroupNames: ['/b'], next: undefined })] = pages.splice(0, 1);
      return read();
    },
  });
});

const request = (name: string) => ({ principal: principalOf(name), id: 'request' });
const find = (jobId: string, by = request('bob')) => access.find(by, 'ReadExportJob', jobId);
const notFound = {
  slug: 'export-job-not-found',
  detail: 'No export job that you may see has this id.',
};

test('takes the same steps for a job of another caller as for one that does not exist', async () => {
  await expect(find('job')).rejects.toMatchObject(notFound);
  const ofForeign = done.splice(0);
  await expect(find('unknown')).rejects.toMatchObject(notFound);

  expect(ofForeign).toEqual(['head', 'decide ReadExportJob default']);
  expect(done).toEqual(ofForeign);
});

test('takes the same steps for a deleted job of another caller', async () => {
  await expect(find('deleted')).rejects.toMatchObject(notFound);

  expect(done).toEqual(['head', 'decide ReadExportJob default']);
});

test('tells the caller of a deleted job, also if no policy permits it', async () => {
  await expect(find('deleted', request('ann'))).rejects.toMatchObject({
    slug: 'export-job-deleted',
    detail: 'This job was deleted at 1970-01-01T00:00:00.000Z.',
  });
});

test('finds no job that does not exist, not even for a caller that may read everything', async () => {
  rule = () => true;

  await expect(find('unknown')).rejects.toMatchObject(notFound);
});

test('stops at the first log group that is refused', async () => {
  rule = (_principal, { resource }) => resource.logGroupName !== '/b19';
  const names = Array.from({ length: 200 }, (_, n) => `/b${n}`);
  pages = [async () => ({ logGroupNames: names, next: 201 })];

  await expect(find('job')).rejects.toMatchObject(notFound);

  const asked = done.filter((step) => step.startsWith('decide')).length;
  expect(asked).toBe(1 + 20); // log groups are decided in chunks of twenty
  expect(done).not.toContain('log groups from 201');
});

test('remembers answers separately for each caller and action', async () => {
  rule = () => true;
  const bob = request('bob');
  const reads = () => done.filter((step) => step.startsWith('log groups')).length;

  await find('job', bob);
  await find('job', bob);
  expect(reads()).toBe(1);
  await access.find(bob, 'CancelExportJob', 'job');
  expect(reads()).toBe(2);
  await find('job', request('bob')); // a new authentication can have other groups
  expect(reads()).toBe(3);
  version += 1;
  await find('job', bob);
  expect(reads()).toBe(4);
});

test('decides all log groups again when the target has another account', async () => {
  rule = (_principal, { resource }) =>
    resource.logGroupName === '/a' || resource.target.accountId === target.accountId;
  const bob = request('bob');

  await find('job', bob);
  known = { ...target, accountId: '210987654321' };

  await expect(find('job', bob)).rejects.toMatchObject(notFound);
});

test('shares one evaluation between concurrent requests', async () => {
  rule = () => true;
  const bob = request('bob');

  await Promise.all(Array.from({ length: 10 }, () => find('job', bob)));

  expect(done.filter((step) => step.startsWith('log groups'))).toHaveLength(1);
});

test('does not remember a failure', async () => {
  rule = () => true;
  const bob = request('bob');
  pages = [() => Promise.reject(new Error('away'))];

  await expect(find('job', bob)).rejects.toThrow('away');

  expect((await find('job', bob)).head).toBe(job);
});
