import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commonFaultMembers, faultMembers } from '../src/control/faults/check-fault.ts';
import { seedMembers } from '../src/control/seed/check-seed.ts';
import { openEmulator } from '../src/emulator.ts';
import { checkOptions } from '../src/options/rules.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [, options = ''] = readme.split('\n## Options\n');
const [optionSection = '', controlSection = ''] = options.split('\n## ');

const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const [, seedSection = '', faultSection = ''] = controlSection.split('\n### ');

/** The rows of the tables of members. */
const membersIn = (section: string) =>
  [...section.matchAll(/^\| `.+\|$/gm)].map(([row]) => {
    const [, name, , required, optional] = row.split('|').map(namesIn);
    return { name: name?.[0], required, optional };
  });

describe('the README', () => {
  it('names options that exist', () => {
    const rows = [...optionSection.matchAll(/^\| (`.+?) \|/gm)];
    const names = rows.flatMap(([, cell]) => namesIn(cell));

    expect(names.length).toBeGreaterThan(10);
    for (const name of names) checkOptions({ [name]: undefined }, 'start');
  });

  it('names the members of each seed', () => {
    const place = ['accountId', 'region'];

    expect(membersIn(seedSection)).toEqual(
      seedMembers.map(({ optional, ...seed }) => ({
        ...seed,
        optional: optional.filter((member) => !place.includes(member)),
      })),
    );
  });

  it('names the kinds of faults and their members', () => {
    expect(membersIn(faultSection)).toEqual(faultMembers);
    for (const name of [...commonFaultMembers.required, ...commonFaultMembers.optional]) {
      expect(faultSection).toContain(`\`${name}\``);
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
