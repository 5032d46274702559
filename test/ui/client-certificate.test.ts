import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

import { type Identity, makeAuthority } from '../auth/certificates.ts';
import { openGuard } from '../auth/guard.ts';
import { openTlsFiles } from '../auth/tls-client.ts';
import { openWorld } from '../world.ts';

test('a client certificate opens the pages, and without one there is no sign-in', async () => {
  const authority = makeAuthority('who signs callers');
  await using files = await openTlsFiles({ clientCa: authority.cert });
  const { clientAuthorities } = files.tls;
  await using guard = await openGuard({ methods: ['mtls'] }, { clientAuthorities });
  await using world = await openWorld({ tls: files.tls, access: guard.access, jobs: {} });
  const visit = async (path: string, identity?: Identity) => {
    const agent = new Agent({ ...identity, rejectUnauthorized: false, keepAlive: false });
    const headers = { accept: 'text/html' };
    const asked = request({ port: world.port, host: '127.0.0.1', path, headers, agent }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return {
      status: answer.statusCode,
      location: answer.headers.location,
      html: await text(answer),
    };
  };
  const caller = authority.issue({ names: [['dns', 'ann.example']] });

  const page = await visit('/ui/targets', caller);
  const refused = await visit('/ui/targets');
  const signIn = await visit('/ui/sign-in?next=/ui/jobs', caller);

  expect(page.status).toBe(200);
  expect(page.html).toContain('mtls#ann.<wbr>example');
  expect(page.html).not.toContain('Sign out');
  expect([refused.status, refused.location]).toEqual([401, undefined]);
  expect(refused.html).toContain('Authentication required');
  expect([signIn.status, signIn.location]).toEqual([303, '/ui/jobs']);
});
