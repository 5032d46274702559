import { describe, expect, test } from 'vitest';
import { makeHeartbeatSender } from '#archives/heartbeat/heartbeat-sender.ts';

const origins = ['https://127.0.0.1:1', 'https://localhost:1', 'https://[::1]:1', 'https://x.test'];

describe('a heartbeat that cannot be sent', () => {
  test('refuses a text that is no URL, and reports no origin', async () => {
    const result = await makeHeartbeatSender([])('no URL');

    expect(result).toEqual({ outcome: 'refused', origin: '', reason: 'URL not allowed' });
  });

  test.each(['https://127.0.0.1:1/', 'https://localhost:1/', 'https://[::1]:1/'])(
    'is refused by default at an address of this machine: %s',
    async (url) => {
      const result = await makeHeartbeatSender(origins)(url);

      expect(result).toMatchObject({ outcome: 'refused', reason: 'address not allowed' });
    },
  );

  test('fails with a word where the fault has no code, and is refused without an address', async () => {
    const connections = {
      lookup: async (): Promise<[]> => {
        throw new Error('of the path');
      },
      isAllowed: () => true,
      deadline: () => new AbortController().signal,
    };

    const fails = await makeHeartbeatSender(origins, connections)('https://x.test/s3cr3t');
    const none = { ...connections, lookup: async () => [] };
    const refused = await makeHeartbeatSender(origins, none)('https://x.test/s3cr3t');

    expect(fails).toEqual({ outcome: 'failed', origin: 'https://x.test', reason: 'error' });
    expect(refused).toMatchObject({ outcome: 'refused', reason: 'address not allowed' });
  });
});
