import type { CommandEntry } from './command.ts';

/** All commands by name, in the order of the overview. */
export const commandTable: Readonly<Record<string, CommandEntry>> = {
  preflight: {
    summary: 'check what would keep an export from running',
    load: async () => (await import('./commands/exports/preflight.ts')).preflightCommand,
  },
  plan: {
    summary: 'show the slices of a job, without creating it',
    load: async () => (await import('./commands/exports/plan.ts')).planCommand,
  },
  run: {
    summary: 'create an export job',
    load: async () => (await import('./commands/exports/run.ts')).runCommand,
  },
  jobs: {
    summary: 'list jobs',
    load: async () => (await import('./commands/jobs/jobs.ts')).jobsCommand,
  },
  show: {
    summary: 'show a job',
    load: async () => (await import('./commands/jobs/show.ts')).showCommand,
  },
  watch: {
    summary: 'wait until a job has ended',
    load: async () => (await import('./commands/jobs/watch.ts')).watchCommand,
  },
  cancel: {
    summary: 'cancel a job',
    load: async () => (await import('./commands/jobs/cancel.ts')).cancelCommand,
  },
  retry: {
    summary: 'export the failed slices of a job again',
    load: async () => (await import('./commands/jobs/retry.ts')).retryCommand,
  },
  archives: {
    summary: 'list archives',
    load: async () => (await import('./commands/lists/archives.ts')).archivesCommand,
  },
  coverage: {
    summary: 'find the exports of a time range',
    load: async () => (await import('./commands/lists/coverage.ts')).coverageCommand,
  },
  targets: {
    summary: 'list accounts and Regions, or show the queue of one',
    load: async () => (await import('./commands/lists/targets.ts')).targetsCommand,
  },
  problems: {
    summary: 'explain a problem',
    load: async () => (await import('./commands/lists/problems.ts')).problemsCommand,
  },
  verify: {
    summary: 'compare a manifest with the objects in S3',
    load: async () => (await import('./commands/local/verify.ts')).verifyCommand,
  },
  'wire-key': {
    summary: 'print the key pair of a caller for AWS clients',
    load: async () => (await import('./commands/local/wire-key.ts')).wireKeyCommand,
  },
  completion: {
    summary: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./commands/local/completion.ts')).completionCommand,
  },
};

/** The entry of a command. Names such as `constructor` have none. */
export const findCommand = (name: string): CommandEntry | undefined =>
  Object.hasOwn(commandTable, name) ? commandTable[name] : undefined;
