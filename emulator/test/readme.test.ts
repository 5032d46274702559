import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Fault, openEmulator } from '../src/emulator.ts';
import { checkOptions } from '../src/options/rules.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [, options = ''] = readme.split('\n## Options\n');
const [optionSection = '', controlSection = ''] = options.split('\n## ');

const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

describe('the README', () => {
  it('names options that exist', () => {
    const rows = [...optionSection.matchAll(/^\| (`.+?) \|/gm)];
    const names = rows.flatMap(([, cell]) => namesIn(cell));

    expect(names.length).toBeGreaterThan(10);
    for (const name of names) checkOptions({ [name]: undefined }, 'start');
  });

  it('names the kinds of faults that exist', async () => {
    await using emulator = await openEmulator();

    const kinds = namesIn(/^Kinds: (.+)\. The type/m.exec(controlSection)?.[1]);

    expect(kinds.length).toBeGreaterThan(10);
    for (const kind of kinds) {
      expect(() => emulator.faults.add({ kind } as Fault)).toThrow(`${kind} needs operation`);
    }
  });

  it('names the routes of the controls', async () => {
    await using emulator = await openEmulator();
    const rows = [...controlSection.matchAll(/^\| (.+?)\/_emulator\/([a-z-]+)` \| .+ \|$/gm)];
    const calls = rows.flatMap(([, methods = '', path]) =>
      (methods.match(/[A-Z]+/g) ?? []).map((method) => ({ method, path })),
    );

    const statuses = await Promise.all(
      calls.map(async ({ method, path }) => {
        const answer = await fetch(`${emulator.url}/_emulator/${path}`, { method });
        return { method, path, status: answer.status };
      }),
    );

    expect(statuses.length).toBeGreaterThan(6);
    expect(statuses.filter(({ status }) => status === 404)).toEqual([]);
  });
});
