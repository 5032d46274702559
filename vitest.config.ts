import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/start-postgres.ts'],
    maxWorkers: 2, // much of a test is waiting; one for two cores leaves half of them idle
    // They end what hangs. No machine is so slow that one of them is the verdict of a test.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      // The doors run as processes of their own, where coverage does not look; tests start each.
      exclude: [
        'src/main.ts',
        'src/demo.ts',
        'src/emulate.ts',
        'src/migrate.ts',
        'src/write-openapi.ts',
        'src/exit.ts',
      ],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
