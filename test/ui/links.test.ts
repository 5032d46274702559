import { expect, test } from 'vitest';

import { givenArchiveInAllStates } from '../archives/archive-in-all-states.ts';
import { openGuard } from '../auth/guard.ts';
import { bringTo, givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { openWorld } from '../world.ts';
import { openKeysFile } from './keys-file.ts';
import { openVisitor } from './visitor.ts';

const key = 'the-key-of-the-links-0123456789';

/** The URLs that a page leads to or loads. */
function linksOf(html: string, pageUrl: string): URL[] {
  const found = html.matchAll(/(?:href|src)="([^"]*)"/g);
  return [...found]
    .map(([, text = '']) => new URL(text.replaceAll('&amp;', '&'), pageUrl))
    .filter(({ protocol }) => protocol === 'http:');
}

test('a person who has signed in can follow every link of every page', async () => {
  using file = openKeysFile([{ name: 'ann', key }]);
  await using guard = await openGuard({ methods: ['api-key'], apiKeysFile: file.path });
  await using world = await openWorld({ access: guard.access, jobs: {} });
  const { database } = world;
  const jobId = await givenJob(database, 3);
  await bringTo(database, jobId, 1, 'failed', sliceProblem('export-task-failed'));
  const archiveId = await givenArchiveInAllStates(database);
  const visitor = openVisitor(world);
  const { hidden } = await visitor.get('/ui/sign-in');
  await visitor.post('/ui/sign-in', { ...hidden, credential: key });

  const answers = new Map<string, number>();
  const queue = [
    '/ui/targets',
    '/ui/jobs?caller=*',
    '/ui/archives?caller=*',
    `/ui/jobs/${jobId}`,
    `/ui/archives/${archiveId}`,
  ].map((path) => new URL(path, world.url));
  for (const url of queue) {
    // One of the links that differ by the values of their parameters.
    const name = `${url.pathname}?${[...url.searchParams.keys()].sort()}`;
    if (answers.has(name)) continue;
    const { status, headers, html } = await visitor.get(url.pathname + url.search);
    answers.set(name, status);
    const isPage = headers.get('content-type')?.startsWith('text/html');
    if (isPage && url.pathname.startsWith('/ui/')) queue.push(...linksOf(html, url.href));
  }

  expect([...answers].filter(([, status]) => status !== 200)).toEqual([]);
  const names = [...answers.keys()];
  for (const path of ['/ui/targets/default', `/ui/archives/${archiveId}/coverage`, '/docs']) {
    expect(names).toContain(`${path}?`);
  }
});
