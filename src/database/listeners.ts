import type { Database } from './database.ts';

/**
 * Makes `listen` for many listeners over one connection. `open` connects: it is called for the first listener, and
 * its result is closed after the last one.
 */
export function shareListener(
  open: (act: (text: string) => void) => Disposable,
): Database['listen'] {
  const acts = new Set<(text: string) => void>();
  let opened: Disposable | undefined;
  return (act) => {
    const own = (text: string) => act(text); // the same function may listen twice
    acts.add(own);
    opened ??= open((text) => {
      for (const each of acts) each(text);
    });
    return {
      [Symbol.dispose]() {
        acts.delete(own);
        if (acts.size > 0) return;
        opened?.[Symbol.dispose]();
        opened = undefined;
      },
    };
  };
}
