import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { Files } from '#auth/authorization/policies/policy-files.ts';
import { anonymous } from '#auth/principal.ts';
import {
  createOf,
  files,
  makePolicyFolder,
  openPolicyDir,
  type PolicyFolder,
} from '../policy-folder.ts';

const permitAll = (id: string) => `@id("${id}") permit(principal, action, resource);`;
const forbidAll = (id: string) => `@id("${id}") forbid(principal, action, resource);`;

describe('a change of the policies', () => {
  test('becomes active after two polls with the same files, and increases the version', async () => {
    using folder = makePolicyFolder({ 'a.cedar': permitAll('one') });
    await using opened = await openPolicyDir(folder.path);
    const seen = [opened.ask(anonymous, createOf())];
    const versions = [opened.authorizer.version()];

    for (const id of ['two', 'three', 'four']) {
      folder.write('a.cedar', permitAll(id));
      await opened.poll();
      seen.push(opened.ask(anonymous, createOf()));
      await opened.poll();
      seen.push(opened.ask(anonymous, createOf()));
      versions.push(opened.authorizer.version());
    }

    expect(seen.flatMap(({ policies }) => policies)).toEqual(
      'one one two two three three four'.split(' '),
    );
    expect(versions).toEqual([1, 2, 3, 4]);
  });

  test('is not active while files arrive one by one', async () => {
    using folder = makePolicyFolder({ 'a.cedar': forbidAll('old') });
    await using opened = await openPolicyDir(folder.path);

    folder.write('a.cedar', permitAll('everybody'));
    await opened.poll();
    const half = opened.ask(anonymous, createOf());
    folder.write('b.cedar', forbidAll('except this'));
    await opened.look();

    expect(half).toEqual({ isPermitted: false, policies: ['old'] });
    expect(opened.ask(anonymous, createOf())).toEqual({
      isPermitted: false,
      policies: ['except this'],
    });
    expect(opened.authorizer.version()).toBe(2);
  });

  test('withdraws a permission after five polls even if the files never stop changing', async () => {
    using folder = makePolicyFolder({ 'a.cedar': permitAll('old') });
    await using opened = await openPolicyDir(folder.path);
    const seen: boolean[] = [];

    for (let poll = 1; poll <= 5; poll += 1) {
      folder.write('a.cedar', `${forbidAll('new')} // ${poll}`);
      await opened.poll();
      seen.push(opened.ask(anonymous, createOf()).isPermitted);
    }

    expect(seen).toEqual([true, true, true, true, false]);
  });

  test('may add or remove a file', async () => {
    using folder = makePolicyFolder({ 'a.cedar': permitAll('a') });
    await using opened = await openPolicyDir(folder.path);

    folder.write('b.cedar', forbidAll('b'));
    await opened.look();
    const withBoth = opened.ask(anonymous, createOf());
    folder.remove('b.cedar');
    await opened.look();

    expect(withBoth).toEqual({ isPermitted: false, policies: ['b'] });
    expect(opened.ask(anonymous, createOf())).toEqual({ isPermitted: true, policies: ['a'] });
  });

  test('keeps the previous policies when it is invalid, and logs file and line until it is fixed', async () => {
    using folder = makePolicyFolder({ 'a.cedar': permitAll('old') });
    await using opened = await openPolicyDir(folder.path);

    folder.write(
      'a.cedar',
      `\n${permitAll('new')}\npermit(principal, action, resource) when { nam };`,
    );
    await opened.look();
    const meanwhile = opened.ask(anonymous, createOf());
    const version = opened.authorizer.version();
    folder.write('a.cedar', permitAll('new'));
    await opened.look();

    expect(meanwhile.policies).toEqual(['old']);
    expect(version).toBe(1);
    expect(opened.log[0]).toMatchObject({
      level: 'error',
      msg: 'failed to reload changed files; the previous version stays active',
      err: {
        message: expect.stringMatching(
          /^POLICY_DIR is ".*": a\.cedar, line 3: invalid variable: nam/,
        ),
      },
    });
    expect(opened.ask(anonymous, createOf()).policies).toEqual(['new']);
    expect(opened.authorizer.version()).toBe(2);
  });

  test.each([
    ['the last file is removed', (folder: PolicyFolder) => folder.remove('a.cedar')],
    ['the last file is emptied', (folder: PolicyFolder) => folder.write('a.cedar', '')],
    ['only comments are left', (folder: PolicyFolder) => folder.write('a.cedar', '// none\n')],
  ])(
    'keeps the previous policies when no policy is left, and logs an error: %s',
    async (_, empty) => {
      using folder = makePolicyFolder({ 'a.cedar': permitAll('old') });
      await using opened = await openPolicyDir(folder.path);

      empty(folder);
      await opened.look();
      const meanwhile = opened.ask(anonymous, createOf());
      const version = opened.authorizer.version();
      folder.write('a.cedar', permitAll('new'));
      await opened.look();

      expect(meanwhile).toEqual({ isPermitted: true, policies: ['old'] });
      expect(version).toBe(1);
      expect(opened.log[0]).toMatchObject({
        level: 'error',
        msg: 'failed to reload changed files; the previous version stays active',
        err: { message: expect.stringContaining('forbid(principal, action, resource);') },
      });
      expect(opened.ask(anonymous, createOf()).policies).toEqual(['new']);
    },
  );

  test('refuses everything when the only policy forbids everything', async () => {
    using folder = makePolicyFolder({ 'a.cedar': permitAll('old') });
    await using opened = await openPolicyDir(folder.path);

    folder.write('a.cedar', 'forbid(principal, action, resource);');
    await opened.look();

    expect(opened.ask(anonymous, createOf()).isPermitted).toBe(false);
    expect(opened.authorizer.version()).toBe(2);
  });

  test('keeps the previous policies when the directory is removed', async () => {
    let isThere = true;
    using folder = makePolicyFolder({ 'a.cedar': permitAll('a') });
    const vanishing: Files = {
      ...files,
      list: (path) => files.list(isThere ? path : `${path}/nonexistent`),
    };
    await using opened = await openPolicyDir(folder.path, { files: vanishing });

    isThere = false;
    await opened.look();

    expect(opened.ask(anonymous, createOf()).isPermitted).toBe(true);
    expect(opened.log).toMatchObject([
      { level: 'error', err: { message: expect.stringContaining('ENOENT') } },
    ]);
  });

  test('does not affect another service in the same process', async () => {
    using here = makePolicyFolder({ 'a.cedar': permitAll('here') });
    using there = makePolicyFolder({ 'a.cedar': permitAll('there') });
    await using one = await openPolicyDir(here.path);
    await using other = await openPolicyDir(there.path);

    expect(one.ask(anonymous, createOf()).policies).toEqual(['here']);
    expect(other.ask(anonymous, createOf()).policies).toEqual(['there']);
  });
});

describe('a ConfigMap', () => {
  /** Writes files like Kubernetes: into a directory of their version, behind the link `..data`. */
  function mount(path: string, version: string, texts: Record<string, string>): void {
    mkdirSync(join(path, version));
    for (const [name, text] of Object.entries(texts))
      writeFileSync(join(path, version, name), text);
    symlinkSync(version, join(path, '..data_tmp'));
    renameSync(join(path, '..data_tmp'), join(path, '..data'));
  }

  test('is read through its links and replaced as a whole', async () => {
    using folder = makePolicyFolder();
    mount(folder.path, '..2026_01', { 'a.cedar': permitAll('old'), 'notes.md': 'no policy' });
    symlinkSync('..data/a.cedar', join(folder.path, 'a.cedar'));
    symlinkSync('..data/notes.md', join(folder.path, 'notes.md'));
    await using opened = await openPolicyDir(folder.path);
    const before = opened.ask(anonymous, createOf());

    mount(folder.path, '..2026_02', { 'a.cedar': permitAll('new'), 'notes.md': 'no policy' });
    await opened.look();

    expect(before.policies).toEqual(['old']);
    expect(opened.ask(anonymous, createOf()).policies).toEqual(['new']);
  });

  test('is read again when it is replaced during a read: a mix of versions is never active', async () => {
    using folder = makePolicyFolder();
    mount(folder.path, '..1', { 'a.cedar': permitAll('all'), 'b.cedar': forbidAll('none') });
    for (const name of ['a.cedar', 'b.cedar'])
      symlinkSync(`..data/${name}`, join(folder.path, name));
    let isReplacedNext = false;
    const replacedBetween: Files = {
      ...files,
      async read(path) {
        if (isReplacedNext && path.endsWith('b.cedar')) {
          isReplacedNext = false;
          mount(folder.path, '..2', { 'a.cedar': forbidAll('none'), 'b.cedar': permitAll('all') });
        }
        return files.read(path);
      },
    };
    await using opened = await openPolicyDir(folder.path, { files: replacedBetween });

    isReplacedNext = true;
    await opened.look();

    expect(opened.log).toMatchObject([
      { level: 'info', what: 'policies', msg: 'reloaded changed files' },
    ]);
    expect(opened.ask(anonymous, createOf())).toEqual({ isPermitted: false, policies: ['none'] });
  });

  test('is read without its hidden files and directories', async () => {
    using folder = makePolicyFolder({ '.hidden.cedar': 'nonsense', 'a.cedar': permitAll('a') });
    mkdirSync(join(folder.path, 'below'));
    writeFileSync(join(folder.path, 'below', 'b.cedar'), 'nonsense');

    await using opened = await openPolicyDir(folder.path);

    expect(opened.ask(anonymous, createOf()).policies).toEqual(['a']);
  });
});
