import { describe, expect, it } from 'vitest';
import { openEmulator, readEmulatorOptions } from '../src/emulator.ts';

describe('the environment', () => {
  it('has a default for every variable, also for an empty one', () => {
    const empty = { HOST: '', EMULATOR_PORT: '', EMULATOR_OPTIONS: '' };

    expect(readEmulatorOptions({})).toEqual({ host: '127.0.0.1', port: 4566 });
    expect(readEmulatorOptions(empty)).toEqual({ host: '127.0.0.1', port: 4566 });
  });

  it('prefers a member of EMULATOR_OPTIONS to HOST and EMULATOR_PORT', () => {
    const env = {
      HOST: '0.0.0.0',
      EMULATOR_PORT: '8000',
      EMULATOR_OPTIONS: '{"pendingMs":5000,"port":1}',
    };

    expect(readEmulatorOptions(env)).toEqual({ host: '0.0.0.0', port: 1, pendingMs: 5000 });
  });

  it.each(['http', '80.5', '-1', '65536', '0x50'])('rejects the port %s', (EMULATOR_PORT) => {
    expect(() => readEmulatorOptions({ EMULATOR_PORT })).toThrow(
      `EMULATOR_PORT is "${EMULATOR_PORT}", but must be a port number from 0 to 65535 (0 takes any free one).`,
    );
  });

  it.each(['pendingMs=5000', '[]', 'null'])('rejects the options %s', (EMULATOR_OPTIONS) => {
    expect(() => readEmulatorOptions({ EMULATOR_OPTIONS })).toThrow(
      `EMULATOR_OPTIONS is "${EMULATOR_OPTIONS}", but must be a JSON object such as`,
    );
  });
});

describe('an address the emulator cannot listen on', () => {
  it.each([
    ['192.0.2.1', /^192\.0\.2\.1 is not an address of this machine \(EADDRNOTAVAIL\)\. Set HOST/],
    // The code depends on the resolver of the machine.
    ['127.0.0.1:80', /^The host name "127\.0\.0\.1:80" does not resolve \(E\w+\)\. Set HOST/],
  ])('is rejected with a sentence: %s', async (host, sentence) => {
    await expect(openEmulator({ host })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(sentence),
    });
  });

  it.each([65_536, 80.5, -1])('is rejected with a sentence: port %d', async (port) => {
    await expect(openEmulator({ port })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `The option port of the emulator is ${port}, but must be a port number from 0 to 65535.`,
    });
  });

  it('is rejected with a sentence when another process listens there', async () => {
    await using emulator = await openEmulator();
    const { port } = emulator;

    await expect(openEmulator({ port })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `Another process listens on port ${port} of 127.0.0.1 (EADDRINUSE). Set EMULATOR_PORT or the option port to another one.`,
    });
  });
});
