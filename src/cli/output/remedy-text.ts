/** The commands of operations, by the end of their paths: a base path can be in front. */
const commands: readonly [operation: RegExp, command: string][] = [
  [/^POST .*\/export-jobs\/\{jobId\}\/retry$/, 'retry <job id>'],
  [/^POST .*\/export-jobs\/\{jobId\}\/cancel$/, 'cancel <job id>'],
  [/^GET .*\/export-jobs\/\{jobId\}$/, 'show <job id>'],
  [/^GET .*\/export-jobs$/, 'jobs'],
  [/^GET .*\/export-jobs\?caller=\*$/, "jobs --caller '*'"],
  [/^POST .*\/export-jobs$/, 'run'],
  [/^POST .*\/preflights$/, 'preflight'],
  [/^GET .*\/archives$/, 'archives'],
  [/^GET .*\/archives\?caller=\*$/, "archives --caller '*'"],
  [/^GET .*\/targets$/, 'targets'],
  [/^GET .*\/problems$/, 'problems'],
];

/** Adds to each operation in a remedy its command, if there is one: remedies are written for clients of the API. */
export const remedyText = (remedy: string): string =>
  remedy.replaceAll(/\b(?:GET|POST) \/[\w/{}?=*-]+/g, (operation) => {
    const [, command] = commands.find(([pattern]) => pattern.test(operation)) ?? [];
    return command === undefined ? operation : `${operation} (log-export ${command})`;
  });
