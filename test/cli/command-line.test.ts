import { describe, expect, test } from 'vitest';

import { runCli } from './run-cli.ts';

describe('the command line', () => {
  test.each(['', 'help', '--help', '-h'])('shows the overview for "%s"', async (line) => {
    const { code, stdout, stderr } = await runCli(line);

    expect(code).toBe(line === '' ? 2 : 0);
    expect(stdout + stderr).toMatch(/^Usage: log-export <command>/);
    expect((stdout + stderr).split('\n').filter((each) => each.length > 90)).toEqual([]);
  });

  test('prints its version', async () => {
    expect(await runCli('--version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
  });

  test.each([
    ['exports', 'There is no command "exports". Try: log-export help'],
    ['constructor', 'There is no command "constructor". Try: log-export help'],
    ['help nothing', 'There is no command "nothing". Try: log-export help'],
    ['show', 'An argument is missing. Try: log-export help show'],
    ['show a b', 'The argument "b" is not expected. Try: log-export help show'],
    ['jobs --all', "Unknown option '--all'. Try: log-export help jobs"],
    ['jobs --limit', "Option '--limit <value>' argument missing. Try: log-export help jobs"],
    ['jobs --json=yes', "Option '--json' does not take an argument. Try: log-export help jobs"],
    ['completion tcsh', 'There is no completion for "tcsh". Try: log-export help completion'],
    ['watch a --timeout soon', '--timeout "soon" is not a duration. Use 30s, 10m, 2h or 1d.'],
    ['run', 'Give names of log groups, or --log-group-prefix.'],
    ['run /a --log-group-prefix /b', 'Give names of log groups, or --log-group-prefix.'],
    ['run /a', '--from is missing.'],
    ['run /a --from -7d', '--to is missing.'],
    ['run /a --from -7d --to today', '--destination is missing.'],
    ['run /a --from soon --to today', '--from "soon" is not a time.'],
    [
      'run /a --from 2024-05-02 --to 2024-05-01',
      'The time range is empty: --from is 2024-05-02T00:00:00Z and --to is 2024-05-01T00:00:00Z.',
    ],
    ['run /a --from -7d --to today --destination b --priority high', '--priority "high" is not a'],
    ['run /a --from -7d --to today --destination b --timeout 1h', '--timeout needs --wait.'],
    ['run /a --from -7d --to today --time-zone x', '"x" is not a time zone.'],
  ])('ends with code 2 for: log-export %s', async (line, message) => {
    const sent: unknown[] = [];

    const { code, stdout, stderr } = await runCli(line, {
      fetch: async (url) => {
        sent.push(url);
        return Response.json({});
      },
    });

    expect({ code, stdout, sent }).toEqual({ code: 2, stdout: '', sent: [] });
    expect(stderr).toContain(`log-export: ${message}`);
  });

  test.each([
    ['help', 'Usage: npx log-export <command>'],
    ['help jobs', 'Usage: npx log-export jobs'],
    ['help jobs', '\n  npx log-export jobs --state failed --limit 50\n'],
    ['exports', 'Try: npx log-export help\n'],
    ['show', 'Try: npx log-export help show\n'],
  ])('begins commands to copy as it was started: %s', async (line, text) => {
    const { stdout, stderr } = await runCli(line, { commandName: 'npx log-export' });

    expect(stdout + stderr).toContain(text);
    expect(stdout + stderr).not.toMatch(/(?<!npx )log-export (?:help|jobs|--version)/);
  });

  test('writes control characters of arguments as JSON does', async () => {
    const { stderr } = await runCli(['show', 'a', '\u001b[2J']);

    expect(stderr).toContain('The argument "\\u001b[2J" is not expected.');
  });

  test('takes a time before now after a space and after an equals sign', async () => {
    const lines = ['--from -7d --to -1d', '--from=-7d --to=-1d'];
    const run = (range: string) =>
      runCli(`coverage /a ${range}`, {
        now: () => Date.UTC(2024, 4, 10),
        fetch: async () => Response.json({ isCovered: true, covered: [], exports: [] }),
      });
    const [spaced, joined] = await Promise.all(lines.map(run));

    expect(spaced?.stderr).toContain('Time range: 2024-05-03T00:00:00Z to 2024-05-09T00:00:00Z');
    expect(joined?.stderr).toBe(spaced?.stderr);
  });

  test('does not hide a defect of its own', async () => {
    const fetch = () => Promise.reject(new RangeError('a defect'));

    await expect(runCli('jobs', { fetch })).rejects.toThrow('a defect');
  });
});

describe('verify', () => {
  test('gives the words to the tool of auditors, and returns its exit code', async () => {
    const calls: string[][] = [];

    const run = await runCli('verify --deep s3://archive/_manifest-1.json', {
      async verifyManifest(words, write) {
        calls.push(words);
        write('missing: a\u001b[2Jb');
        return 1;
      },
    });

    expect(calls).toEqual([['--deep', '--', 's3://archive/_manifest-1.json']]);
    expect(run).toEqual({ code: 1, stdout: 'missing: a\\u001b[2Jb\n', stderr: '' });
  });

  test('writes to standard error why the manifest cannot be read', async () => {
    const run = await runCli('verify a.json', {
      async verifyManifest(_words, _write, writeError) {
        writeError('The manifest cannot be read.');
        return 2;
      },
    });

    expect(run).toEqual({
      code: 2,
      stdout: '',
      stderr: 'log-export: The manifest cannot be read.\n',
    });
  });

  test('ends with code 2 for settings of the proxy that cannot be used', async () => {
    const error = Object.assign(new Error('HTTPS_PROXY is "x".'), { name: 'ConfigError' });

    const run = await runCli('verify a.json', { verifyManifest: () => Promise.reject(error) });

    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('HTTPS_PROXY is "x".') });
  });

  test('passes on any other error', async () => {
    const verifyManifest = () => Promise.reject(new Error('a defect'));

    await expect(runCli('verify a.json', { verifyManifest })).rejects.toThrow('a defect');
  });
});

describe('wire-key', () => {
  test('prints the profile of a caller', async () => {
    const readWireKey = async (name: string) => `[${name}]`;

    const run = await runCli('wire-key checkout', { readWireKey });

    expect(run).toEqual({ code: 0, stdout: '[checkout]\n', stderr: '' });
  });

  test('ends with code 2 without the settings of the gateway', async () => {
    const error = Object.assign(new Error('WIRE_SECRET is not set.'), { name: 'ConfigError' });

    const run = await runCli('wire-key a', { readWireKey: () => Promise.reject(error) });

    expect(run).toMatchObject({
      code: 2,
      stderr: 'log-export: WIRE_SECRET is not set. Try: log-export help wire-key\n',
    });
  });

  test('passes on any other error', async () => {
    const readWireKey = () => Promise.reject(new Error('a defect'));

    await expect(runCli('wire-key a', { readWireKey })).rejects.toThrow('a defect');
  });
});
