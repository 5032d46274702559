import { describe, expect, test } from 'vitest';

import { shareAnswers } from '#caching/shared-answers.ts';

/** Opens a shared function with a clock that the test advances. `asked` lists the real calls. */
function openQuestions({ freshForMs = 1_000, takesMs = 0 } = {}) {
  let now = 0;
  const asked: string[] = [];
  const answers: PromiseWithResolvers<string>[] = [];
  const ask = shareAnswers(
    async (question: string) => {
      asked.push(question);
      const answer = Promise.withResolvers<string>();
      answers.push(answer);
      try {
        return await answer.promise;
      } finally {
        now += takesMs;
      }
    },
    { freshForMs, elapsed: () => now },
  );
  const advance = (ms: number) => {
    now += ms;
  };
  return { ask, asked, answers, advance };
}

describe('a shared question', () => {
  test('is computed once for all callers that wait for it', async () => {
    const { ask, asked, answers } = openQuestions();

    const told = [ask('a'), ask('a'), ask('b')];
    answers[0]?.resolve('answer a');
    answers[1]?.resolve('answer b');

    expect(await Promise.all(told)).toEqual(['answer a', 'answer a', 'answer b']);
    expect(asked).toEqual(['a', 'b']);
  });

  test('returns the cached answer until it expires', async () => {
    const { ask, asked, answers, advance } = openQuestions({ freshForMs: 1_000 });
    const first = ask('a');
    answers[0]?.resolve('first');
    await first;

    advance(999);
    const served = await ask('a');
    advance(1);
    const again = ask('a');
    answers[1]?.resolve('second');

    expect([served, await again]).toEqual(['first', 'second']);
    expect(asked).toHaveLength(2);
  });

  test('caches a slow answer nineteen times as long as the call took', async () => {
    const { ask, asked, answers, advance } = openQuestions({ freshForMs: 1_000, takesMs: 500 });
    const first = ask('a');
    answers[0]?.resolve('first');
    await first;

    advance(9_499);
    await ask('a');
    expect(asked).toHaveLength(1);
    advance(1);
    void ask('a');

    expect(asked).toHaveLength(2);
  });

  test('caches nothing when freshForMs is 0', async () => {
    const { ask, asked, answers } = openQuestions({ freshForMs: 0, takesMs: 500 });
    const first = ask('a');
    answers[0]?.resolve('first');
    await first;

    void ask('a');

    expect(asked).toHaveLength(2);
  });

  test('that fails is returned to all waiting callers and computed again for the next', async () => {
    const { ask, asked, answers } = openQuestions();
    const told = [ask('a'), ask('a')];
    answers[0]?.reject(new Error('no answer'));

    const failures = await Promise.allSettled(told);
    const again = ask('a');
    answers[1]?.resolve('second');

    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await again).toBe('second');
    expect(asked).toHaveLength(2);
  });
});
