import { describe, expect, test } from 'vitest';
import { Problem } from '#problems/problem.ts';
import { dayMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

async function acceptOne(kept: KeptArchives, target = 'default'): Promise<string> {
  kept.seed('/app/a');
  return kept.accept({
    target,
    logGroupNames: ['/app/a'],
    fromAt: start - 2 * dayMs,
    toAt: start - dayMs,
  });
}

const textsOf = ({ log }: KeptArchives) => log.map(({ text }) => text);

describe('an archive', () => {
  test.each([{ accountId: '999999999999' }, { region: 'eu-central-9' }])(
    'exports nothing where its target has moved: %o',
    async (columns) => {
      await using kept = await openKeptArchives();
      const id = await acceptOne(kept);
      await kept.change(id, columns);

      await kept.look();

      expect(await kept.waiting()).toEqual([]);
      expect(textsOf(kept)).not.toContain('failed to look at an archive, retrying');
    },
  );

  test('exports nothing where its target is gone or closed, and exports when it is open', async () => {
    await using kept = await openKeptArchives();
    await acceptOne(kept, 'gone');
    const id = await acceptOne(kept);
    const closed = new Problem('target-not-found', 'It is closed.');
    const { targets } = kept;

    await kept.look({
      targets: {
        find: (name) => targets.find(name),
        look: targets.look.bind(targets),
        whyClosed: () => closed,
      },
    });
    const before = await kept.waiting();
    await kept.change(id, {});
    await kept.look();

    expect(before).toEqual([]);
    expect(await kept.waiting()).toHaveLength(1);
  });

  test('logs once that looks fail, by any fault, and that they work again', async () => {
    await using kept = await openKeptArchives();
    const id = await acceptOne(kept);
    const faults = [new Problem('database-unavailable', 'It is gone.'), new Error('boom')];
    const { targets } = kept;
    const looker = kept.looker({
      targets: {
        find: (name) => targets.find(name),
        look: targets.look.bind(targets),
        whyClosed: (name) => {
          if (faults.length === 2) throw faults.pop();
          return targets.whyClosed(name);
        },
      },
      newId: () => {
        const fault = faults.pop();
        if (fault) throw fault;
        return 'the-job';
      },
    });

    for (let round = 0; round < 3; round += 1) {
      await looker.beginDue();
      await looker.whenIdle();
      await kept.change(id, {});
    }

    const warnings = kept.log.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ problem }) => problem)).toEqual([undefined, 'database-unavailable']);
    expect(textsOf(kept).at(-1)).toBe('archives are looked at again');
  });

  test('rests after a look that took long', async () => {
    await using kept = await openKeptArchives();
    const id = await acceptOne(kept);
    let at = 0;
    const elapsed = () => {
      at += 10;
      return at;
    };
    const looker = kept.looker({ elapsed });
    const looksAfter = async () => {
      await kept.change(id, {});
      await looker.beginDue();
      await looker.whenIdle();
      return (await kept.archive(id)).looks;
    };

    const looks = [await looksAfter(), await looksAfter()];
    at += dayMs;
    looks.push(await looksAfter());

    expect(looks).toEqual([1, 1, 2]);
  });

  test('logs nothing when a caller changes it during a look', async () => {
    await using kept = await openKeptArchives();
    const id = await acceptOne(kept);
    const looker = kept.looker();

    await looker.beginDue();
    await kept.change(id, { pausedAt: kept.now() });
    await looker.whenIdle();

    expect(textsOf(kept)).not.toContain('failed to look at an archive, retrying');
  });
});
