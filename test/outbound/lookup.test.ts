import { expect, test } from 'vitest';

import { lookUpBySystem, makeDnsLookup } from '#outbound/lookup.ts';
import { openNameServer } from './name-server.ts';

test('returns the addresses of both families', async () => {
  await using names = await openNameServer((_name, family) =>
    family === 4 ? ['192.0.2.1', '192.0.2.2'] : ['20010db8000000000000000000000001'],
  );

  expect(await makeDnsLookup([names.address])('hooks.example.com')).toEqual([
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.2', family: 4 },
    { address: '2001:db8::1', family: 6 },
  ]);
});

test('returns the addresses of one family if the name has no others', async () => {
  await using names = await openNameServer((_name, family) =>
    family === 6 ? ['20010db8000000000000000000000001'] : [],
  );

  expect(await makeDnsLookup([names.address])('hooks.example.com')).toEqual([
    { address: '2001:db8::1', family: 6 },
  ]);
});

test('fails with the code of DNS if the name does not exist', async () => {
  await using names = await openNameServer(() => []);

  const lookedUp = makeDnsLookup([names.address])('missing.example.com');

  await expect(lookedUp).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

test('completes no name with a search domain, and asks for each family once', async () => {
  await using names = await openNameServer(() => []);

  await makeDnsLookup([names.address])('metadata').catch(() => {});

  expect(names.asked.sort()).toEqual(['metadata 4', 'metadata 6']);
});

test('returns the addresses that the system has for a name', async () => {
  const found = await lookUpBySystem('localhost');

  expect(found.map(({ address }) => address)).toContain('127.0.0.1');
});
