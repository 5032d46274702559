import { expect, test } from 'vitest';

import { fetchJson } from '#auth/authentication/jwt/fetch-json.ts';
import { openForwardProxy } from './proxy.ts';

const url = 'https://issuer.example.com/keys';

test('stops a fetch at its deadline while the proxy does not answer CONNECT', async () => {
  await using proxy = await openForwardProxy({});
  proxy.manner = 'silent';
  const deadline = new AbortController();
  const { signal } = deadline;
  const proxyEnv = { HTTPS_PROXY: proxy.url };
  const fetched = fetchJson(url, { headers: {}, signal, proxyEnv });
  const refused = expect(fetched).rejects.toThrow('over');

  await expect.poll(() => proxy.connects.length).toBe(1);
  deadline.abort(new Error('over'));

  await refused;
});

test('closes the connection to a proxy that does not answer CONNECT', async () => {
  await using proxy = await openForwardProxy({});
  proxy.manner = 'silent';
  const { signal } = new AbortController();
  const proxyEnv = { HTTPS_PROXY: proxy.url };

  const fetched = fetchJson(url, { headers: {}, signal, proxyEnv, tunnelMs: 50 });

  await expect(fetched).rejects.toMatchObject({ code: 'ERR_PROXY_TUNNEL' });
  await expect.poll(() => proxy.open()).toBe(0);
});
