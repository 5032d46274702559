import type { OpenGatewayClient } from './connection/gateway-client.ts';
import type { Screen } from './output/screen.ts';
import type { Surroundings } from './surroundings.ts';

/** An option of a command. Without `value` it is a switch. */
export interface CommandOption {
  /** The name of its value in the help, such as `TIME`. */
  value?: string;
  description: string;
  /** Whether it may be given several times. */
  isMultiple?: boolean;
  /** The values that completion offers. The gateway decides what is valid. */
  choices?: readonly string[];
}

/** The options of a command by name. */
export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** The words after the name of a command, read by its options. */
export interface GivenWords {
  operands: string[];
  text(name: string): string | undefined;
  texts(name: string): string[];
  isGiven(name: string): boolean;
}

/** What a command works with. */
export interface CommandTools {
  surroundings: Surroundings;
  screen: Screen;
  openClient: OpenGatewayClient;
  /** All commands by name. */
  commands: Readonly<Record<string, CommandEntry>>;
}

/** A command in the overview. It is loaded when somebody uses it, so that each one starts fast. */
export interface CommandEntry {
  summary: string;
  load(): Promise<Command>;
}

/** A command: its help, and what it does. */
export interface Command {
  /** The operands and required options, for the help. */
  usage: string;
  description: string;
  /** How many operands it takes. */
  operands: { min: number; max: number };
  options: CommandOptions;
  /** Whole command lines. A test runs each of them. */
  examples: readonly [string, ...string[]];
  /** Does the work. Returns the exit code. */
  run(given: GivenWords, tools: CommandTools): Promise<number>;
}
