/** How long an answer serves. */
export interface SharingOptions {
  /** How long it serves at least, in milliseconds; 0 shares only what is being asked right now. */
  freshForMs: number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

// An answer that took long serves long: whatever is asked, a question takes at most a twentieth of
// the time. Only where the least is above 0; there callers have agreed to an older answer.
const restPerTimeTaken = 19;

interface SharedAnswer<Answer> {
  answer: Promise<Answer>;
  /** Until when it serves; infinite while it is being asked. */
  freshUntil: number;
}

/**
 * Shares a question among its askers: equal ones under way are asked once, and an answer serves for
 * a while. A failure is told to those who wait for it, and serves nobody else.
 */
export function shareAnswers<Question extends unknown[], Answer>(
  ask: (...question: Question) => Promise<Answer>,
  { freshForMs, elapsed }: SharingOptions,
): (...question: Question) => Promise<Answer> {
  const entries = new Map<string, SharedAnswer<Answer>>();

  async function askFor(key: string, question: Question): Promise<Answer> {
    const beganAt = elapsed();
    const entry = { answer: ask(...question), freshUntil: Number.POSITIVE_INFINITY };
    entries.delete(key);
    entries.set(key, entry);
    try {
      const answer = await entry.answer;
      const rest = freshForMs && Math.max(freshForMs, restPerTimeTaken * (elapsed() - beganAt));
      entry.freshUntil = elapsed() + rest;
      if (rest === 0) entries.delete(key);
      return answer;
    } catch (error) {
      entries.delete(key);
      throw error;
    }
  }

  return (...question) => {
    const now = elapsed();
    const key = JSON.stringify(question);
    const known = entries.get(key);
    if (known && known.freshUntil > now) return known.answer;
    // Entries stand in the order they were asked, so the oldest are in front.
    for (const [old, { freshUntil }] of entries) {
      if (freshUntil > now) break;
      entries.delete(old);
    }
    return askFor(key, question);
  };
}
