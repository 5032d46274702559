import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';

import { makeAudit } from '#audit/audit.ts';
import { openAudit } from '#audit/open-audit.ts';
import { temporaryDir } from '../database/homes.ts';

const refusal = { requestId: 'r-1', route: '/export-tasks', error: 'invalid_token' };
const silent = { info() {}, warn() {}, error() {} };

/** Makes an audit, and returns its lines as text. */
function openQueues() {
  const lines: string[] = [];
  return { audit: makeAudit({ write: (line: string) => void lines.push(line) }), lines };
}

const parse = (lines: string) =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('an audit line', () => {
  test('has its kind in `audit`, its time, and no level', () => {
    const { audit, lines } = openQueues();
    const call = { principal: 'p', service: 'sts', target: 't', outcome: 'ok' } as const;

    audit.decision({
      requestId: 'r-1',
      principal: 'p',
      action: 'CreateExportTask',
      target: 't',
      decision: 'permit',
      policies: ['a', 'b'],
    });
    audit.awsCall({ ...call, operation: 'AssumeRole', awsRequestId: undefined });
    audit.refusal(refusal);

    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(lines.flatMap(parse)).toEqual([
      {
        audit: 'decision',
        time: at,
        requestId: 'r-1',
        principal: 'p',
        target: 't',
        action: 'CreateExportTask',
        decision: 'permit',
        policies: ['a', 'b'],
      },
      { audit: 'aws-call', time: at, ...call, operation: 'AssumeRole' },
      { audit: 'refusal', time: at, ...refusal },
    ]);
  });

  test('is one line with any content, and truncates each text to 256 characters', () => {
    const { audit, lines } = openQueues();
    const long = 'a\n"\u2028\u0000😀'.repeat(200);

    audit.refusal({ requestId: long, route: null, error: 'short' });
    audit.decision({
      requestId: '',
      principal: long,
      action: '',
      target: '',
      decision: 'forbid',
      policies: [long, 'short'],
    });

    const [first, second] = lines.flatMap(parse);
    expect(lines.map((line) => line.split('\n').length)).toEqual([2, 2]);
    expect(first.requestId).toBe(`${long.slice(0, 255)}…`);
    expect(first).toMatchObject({ route: null, error: 'short' });
    expect(second.policies).toEqual([`${long.slice(0, 255)}…`, 'short']);
  });
});

describe('an audit in a file', () => {
  test('is appended to, and its directories are created', async () => {
    const path = join(temporaryDir(), 'of', 'today', 'audit.jsonl');

    for (const requestId of ['first', 'second']) {
      await using audit = await openAudit(path, silent);
      audit.refusal({ ...refusal, requestId });
    }

    const lines = parse(readFileSync(path, 'utf8'));
    expect(lines.map(({ requestId }) => requestId)).toEqual(['first', 'second']);
  });

  test('contains every line when it is closed', async () => {
    const path = join(temporaryDir(), 'audit.jsonl');
    const audit = await openAudit(path, silent);

    for (let line = 0; line < 20_000; line += 1) audit.refusal(refusal);
    await audit[Symbol.asyncDispose]();

    expect(parse(readFileSync(path, 'utf8'))).toHaveLength(20_000);
  });

  test('is written at once, not only when it is closed', async () => {
    const path = join(temporaryDir(), 'audit.jsonl');
    await using audit = await openAudit(path, silent);

    audit.refusal(refusal);

    await expect.poll(() => readFileSync(path, 'utf8'), { interval: 5 }).toContain('"r-1"');
  });

  test('is rejected at the start when it is not writable', async () => {
    const folder = temporaryDir();
    writeFileSync(join(folder, 'file'), '');

    for (const path of [folder, join(folder, 'file', 'audit.jsonl')]) {
      await expect(openAudit(path, silent)).rejects.toMatchObject({
        name: 'ConfigError',
        message: expect.stringMatching(
          /^AUDIT_LOG is ".*", but must be stdout, or the path of a file .* \(E[A-Z]+: .*\)\.$/,
        ),
      });
    }
  });

  test('logs one error on a full disk, and continues when there is space again', async () => {
    const complaints: string[] = [];
    const error = (_facts: object, words: string) => void complaints.push(words);
    const log = { ...silent, error };
    const audit = await openAudit('/dev/full', log);

    for (let line = 0; line < 3; line += 1) {
      audit.refusal(refusal);
      await expect.poll(() => complaints.length, { interval: 5 }).toBe(1);
    }
    await audit[Symbol.asyncDispose]();

    expect(complaints).toEqual(['failed to write the audit; lines were lost']);
  });
});

describe('an audit on stdout that nobody reads', () => {
  const slowReader = 'dd bs=512 status=none';

  /** A process that writes so many lines, and as many of a log, and then says on stderr that it goes on. */
  function writeUnread(lines: number, reader = slowReader) {
    // A slow reader gets its lines, also on a busy machine.
    const stallMs = reader === slowReader ? 60_000 : undefined;
    const script = `
      import { openAudit } from '#audit/open-audit.ts';
      import { openLogDestination } from '#telemetry/logger.ts';
      const log = await openLogDestination(false, ${stallMs});
      const error = (_, text) => process.stderr.write(text + '\\n');
      const audit = await openAudit('stdout', { info() {}, warn() {}, error }, ${stallMs});
      const refusal = { requestId: 'x'.repeat(100), route: null, error: 'y'.repeat(20) };
      for (let line = 0; line < ${lines}; line += 1) {
        audit.refusal(refusal);
        log.write(JSON.stringify({ level: 'info', msg: 'z'.repeat(line % 200) }) + '\\n');
      }
      await new Promise(setImmediate);
      process.stderr.write('goes on\\n');
      await audit[Symbol.asyncDispose]();
      process.stderr.write('closed\\n');
      await log.close();
      process.exit();`;
    // Node's own pipes are sockets; a platform's is a pipe, and here one that is read bit by bit.
    const command = `{ "$0" --input-type=module -e "$1"; echo ended >&2; } | ${reader}`;
    const child = spawn('sh', ['-c', command, process.execPath, script], { detached: true });
    onTestFinished(() => {
      if (child.exitCode === null) process.kill(-(child.pid as number), 'SIGKILL');
    });
    return child;
  }

  test('does not stop the process, loses nothing, and mixes no lines with the log', async () => {
    const child = writeUnread(20_000);

    const [said] = await once(child.stderr, 'data');
    const lines = parse(await text(child.stdout));

    expect(String(said)).toBe('goes on\n');
    expect(lines.filter(({ audit }) => audit === 'refusal')).toHaveLength(20_000);
    expect(lines.filter(({ level }) => level === 'info')).toHaveLength(20_000);
  });

  test('uses a bounded amount of memory for both, and reports lost lines', async () => {
    const child = writeUnread(100_000);

    const said = text(child.stderr);
    await once(child.stderr, 'data');
    const lines = parse(await text(child.stdout));

    expect(await said).toMatch(/lines were lost\ngoes on\n/);
    for (const isOfKind of [
      (line: { audit?: string }) => line.audit === 'refusal',
      (line: { level?: string }) => line.level === 'info',
    ]) {
      const written = lines.filter(isOfKind).length;
      expect(written).toBeGreaterThan(30_000);
      expect(written).toBeLessThan(100_000);
    }
  });

  test('does not delay the exit when its reader does not read', async () => {
    const child = writeUnread(20_000, 'sleep 3600 2> /dev/null');

    let said = '';
    for await (const chunk of child.stderr) {
      said += chunk;
      if (said.endsWith('ended\n')) break;
    }

    expect(said).toMatch(/lines were lost\nclosed\nended\n$/);
    expect(child.exitCode).toBeNull(); // its reader is still there
  });

  test('closes although its reader has gone', async () => {
    const child = writeUnread(20_000, 'true');

    const said = await text(child.stderr);

    expect(said).toMatch(/lines were lost\n/);
    expect(said).toMatch(/closed\nended\n$/);
  });
});
