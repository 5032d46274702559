/** A stream that the command writes to. */
export interface CommandOutput {
  write(content: string | Uint8Array): void;
  /** Whether a person reads it. */
  isTerminal: boolean;
  /** The width of the terminal. It is read for each line, because people resize windows. */
  columns(): number;
}

/** Everything of the outside world that the command line works with. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** The version of the package. */
  version: string;
  /** The words with which a person starts the command line again, such as `log-export` or `npx log-export`. */
  commandName: string;
  /** Receives the results. */
  stdout: CommandOutput;
  /** Receives everything else: notes and errors. */
  stderr: CommandOutput;
  fetch: typeof fetch;
  /** Reads a file as text. */
  readFile(path: string): string;
  /** The time, in epoch ms. */
  now(): number;
  random(): number;
  /** Waits for a time in milliseconds, or until the signal aborts. It never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Returns a signal that aborts after a time in milliseconds. */
  timeout(ms: number): AbortSignal;
  /** Aborts when the person wants to stop. */
  interrupted: AbortSignal;
  /** Compares a manifest with S3. It loads the AWS SDK. Returns the exit code. */
  verifyManifest(
    words: string[],
    write: (line: string) => void,
    writeError: (line: string) => void,
  ): Promise<number>;
  /** Makes the profile of AWS clients for an API key, from the settings of the gateway. */
  readWireKey(name: string): Promise<string>;
}
