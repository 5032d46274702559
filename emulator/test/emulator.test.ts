import { describe, expect, it } from 'vitest';
import { openEmulator } from '../src/emulator.ts';
import { openServer } from '../src/wire/server.ts';
import { logGroupName, openAws } from './aws.ts';

describe('the emulator', () => {
  it('rejects an unknown option at the start', async () => {
    const options = { pendingMS: 5 } as object;

    await expect(openEmulator(options)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('no option "pendingMS"; it has '),
    });
  });

  it('listens on the given port and rejects a used one', async () => {
    await using first = await openEmulator();

    await expect(openEmulator({ port: first.port })).rejects.toThrow('EADDRINUSE');
    expect(first.url).toBe(`http://127.0.0.1:${first.port}`);
  });

  it('answers 500 to its own defect and continues', async () => {
    let calls = 0;
    const server = await openServer({ host: '127.0.0.1', port: 0 }, async () => {
      calls += 1;
      throw new Error('a defect');
    });
    const url = `http://127.0.0.1:${server.port}`;

    const answers = [await fetch(url), await fetch(url)];
    await server.close();

    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
    expect(await answers[0]?.text()).toBe('Error: a defect');
    expect(calls).toBe(2);
  });

  it('rejects an event whose timestamp is not a date', async () => {
    await using aws = await openAws();
    const events = [{ timestamp: 9e15, message: 'x' }];

    expect(() => aws.emulator.seed.logEvents({ logGroupName, logStreamName: 's', events })).toThrow(
      'is not a date',
    );
  });
});
