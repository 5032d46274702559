import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Where Node keeps compiled code for the processes that tests start: a start takes a third less CPU time.
// What coverage counts is compiled by vitest, and not kept there.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('node_modules/.cache/compiled', import.meta.url),
);

// The longest begin first, or one worker is left alone with one of them in the end. Those that wait and those
// that compute take turns.
const longest = [
  'bench/bench',
  'shutdown',
  'chaos/chaos',
  'recipes/archives-walk',
  'dispatcher/sharing',
  'browser/pages',
  'dispatcher/poison',
  'container/image',
  'keeper/trials',
  'cli/restarts',
  'alerts/situations',
  'auth/canaries',
].map((name) => `/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = longest.findIndex((name) => moduleId.endsWith(name));
      return found < 0 ? longest.length : found;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'emulator/test/**/*.test.ts'],
    globalSetup: ['test/fill-compile-cache.ts', 'test/start-databases.ts'],
    setupFiles: ['test/restore-environment.ts'],
    // A process for each file would load the SDK two hundred times. No module has state of its own, so files
    // may share a process.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // Much of a test is waiting. Fewer, and two cores idle a quarter of the time; more, and they wait for each other.
    maxWorkers: 3,
    // They end what hangs. No machine is so slow that one of them is the verdict of a test.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    expect: { poll: { timeout: 600_000 } },
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'emulator/src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      // The doors run as processes of their own, where coverage does not look; tests start each.
      exclude: ['src/bin/*.ts', 'emulator/src/bin/*.ts'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
