import { expect, test } from 'vitest';

import { startChecksum } from '#aws/storage/checksums.ts';

const fromHex = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

// The check values of the algorithms: those of the text "123456789".
test.each([
  ['CRC64NVME', fromHex('ae8b14860a799888')],
  ['CRC32', fromHex('cbf43926')],
  ['CRC32C', fromHex('e3069283')],
  ['SHA1', fromHex('f7c3bc1d808e04732adf679965ccc34ca7ae3441')],
  ['SHA256', fromHex('15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225')],
])('%s is computed over chunks', async (algorithm, expected) => {
  const checksum = startChecksum(algorithm);

  checksum?.add(Buffer.from('1234'));
  checksum?.add(Buffer.from('56789'));

  expect(await checksum?.end()).toBe(expected);
});

test('an unknown algorithm has no checksum', () => {
  expect(startChecksum('XXHASH64')).toBeUndefined();
});
