/** How long an answer is shared. */
export interface SharingOptions {
  /** The shortest time an answer is cached, in milliseconds; 0 shares only calls in flight. */
  freshForMs: number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

// Slow answers are cached longer, so that no query uses more than 5 % of the time. Only if `freshForMs`
// is above 0: there callers have agreed to an older answer.
const cachedPerTimeTaken = 19;

interface SharedAnswer<Answer> {
  answer: Promise<Answer>;
  /** When it expires; infinite while the call is in flight. */
  freshUntil: number;
}

/**
 * Shares the answers of a function: equal calls in flight are one call, and its answer is cached for a
 * while. A failure goes to the callers that wait for it, and is not cached.
 */
export function shareAnswers<Args extends unknown[], Answer>(
  call: (...args: Args) => Promise<Answer>,
  { freshForMs, elapsed }: SharingOptions,
): (...args: Args) => Promise<Answer> {
  const entries = new Map<string, SharedAnswer<Answer>>();

  async function callFor(key: string, args: Args): Promise<Answer> {
    const beganAt = elapsed();
    const entry = { answer: call(...args), freshUntil: Number.POSITIVE_INFINITY };
    entries.delete(key);
    entries.set(key, entry);
    try {
      const answer = await entry.answer;
      const cachedMs =
        freshForMs && Math.max(freshForMs, cachedPerTimeTaken * (elapsed() - beganAt));
      entry.freshUntil = elapsed() + cachedMs;
      if (cachedMs === 0) entries.delete(key);
      return answer;
    } catch (error) {
      entries.delete(key);
      throw error;
    }
  }

  return (...args) => {
    const now = elapsed();
    const key = JSON.stringify(args);
    const known = entries.get(key);
    if (known && known.freshUntil > now) return known.answer;
    // Entries are in the order of their calls, so the oldest come first.
    for (const [old, { freshUntil }] of entries) {
      if (freshUntil > now) break;
      entries.delete(old);
    }
    return callFor(key, args);
  };
}
