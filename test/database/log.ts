/** A log whose lines a test can read. */
export interface Log {
  lines: string[];
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

/** Makes a log that keeps its lines. */
export function makeLog(): Log {
  const lines: string[] = [];
  const write = (_facts: object, text: string) => void lines.push(text);
  return { lines, info: write, warn: write, error: write };
}
