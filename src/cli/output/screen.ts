import { inUtcText } from '../arguments/read-time.ts';
import type { CommandOutput, Surroundings } from '../surroundings.ts';
import { cleanText, shorten, wrap } from './clean-text.ts';

const codes = { bold: 1, red: 31, green: 32, yellow: 33 } as const;

/** A style of text on a terminal. */
export type TextStyle = keyof typeof codes;

/** What a person sees: results, notes, and the line of progress. */
export interface Screen {
  /** Whether a person reads the results. */
  isTerminal: boolean;
  /** The words that a command to copy begins with. */
  commandName: string;
  columns(): number;
  /** Writes lines of the result. Their text must be clean. */
  print(...lines: string[]): void;
  /** Writes a document as it came. */
  printDocument(bytes: Uint8Array): void;
  /** Writes a note that is no result. Each text begins a line. */
  note(...texts: string[]): void;
  /** Writes lines that are as long as they are: names, policies and commands to copy. */
  noteLines(lines: string[]): void;
  /** Whether a line can replace the one before: on a terminal. */
  canRedraw(output: 'results' | 'notes'): boolean;
  /** Shows the progress: it replaces the line before on a terminal, and is a line of its own elsewhere. */
  progress(line: string, output: 'results' | 'notes'): void;
  /** Keeps the last progress as a line. */
  endProgress(): void;
  style(style: TextStyle, text: string): string;
  /** A time of the API: in a pipe as it came, and on a terminal without milliseconds that are zero. */
  time(at: string): string;
  /** A count with its noun: `1 slice`, `1,000 slices`. A program gets `1000 slices`. */
  count(count: number, noun: string): string;
}

// Longer lines are hard to read.
const maxColumns = 100;
const eraseLine = '\r\u001b[K';

/** Makes the screen of a command. */
export function makeScreen({ env, stdout, stderr, now, commandName }: Surroundings): Screen {
  const isDumb = env.TERM === 'dumb';
  const isColoured = stdout.isTerminal && !isDumb && (env.NO_COLOR ?? '') === '';
  let shown: { line: string; output: CommandOutput } | undefined;

  const outputs = { results: stdout, notes: stderr };
  const canRedraw = (output: 'results' | 'notes') => outputs[output].isTerminal && !isDumb;
  const draw = () => {
    if (!shown) return;
    const { line, output } = shown;
    output.write(`${eraseLine}${shorten(line, output.columns() - 1)}`);
  };
  /** Writes without the line of progress, and draws it again below. */
  const above = (write: () => void) => {
    shown?.output.write(eraseLine);
    write();
    draw();
  };

  return {
    isTerminal: stdout.isTerminal,
    commandName,
    columns: () => Math.min(stdout.columns(), maxColumns),
    print: (...lines) => above(() => stdout.write(lines.map((line) => `${line}\n`).join(''))),
    printDocument: (bytes) =>
      above(() => {
        if (!stdout.isTerminal) return stdout.write(bytes);
        // JSON escapes only some of the characters that control a terminal.
        const lines = new TextDecoder().decode(bytes).split('\n').map(cleanText);
        stdout.write(`${lines.join('\n').trimEnd()}\n`);
      }),
    note: (...texts) =>
      above(() => {
        const width = stderr.isTerminal ? Math.min(stderr.columns(), maxColumns) : Infinity;
        const lines = texts.flatMap((text) => wrap(cleanText(text), width));
        stderr.write(`${lines.join('\n')}\n`);
      }),
    noteLines: (lines) =>
      above(() => stderr.write(lines.map((line) => `${cleanText(line)}\n`).join(''))),
    canRedraw,
    progress(line, to) {
      if (canRedraw(to)) {
        shown = { line, output: outputs[to] };
        draw();
      } else {
        outputs[to].write(`${new Date(now()).toISOString().slice(0, 19)}Z ${line}\n`);
      }
    },
    endProgress() {
      shown?.output.write('\n');
      shown = undefined;
    },
    style: (style, text) => (isColoured ? `\u001b[${codes[style]}m${text}\u001b[0m` : text),
    time: (at) => (stdout.isTerminal ? inUtcText(at) : at),
    count: (count, noun) =>
      `${stdout.isTerminal ? count.toLocaleString('en') : count} ${noun}${count === 1 ? '' : 's'}`,
  };
}
