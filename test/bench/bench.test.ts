import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const latencies = 'p# # p# # ms, on an empty database # and # ms, ratio # and # (goal ≤ #)';
const handOff = 'hand-off mean # s (goal ≤ #), p# # s, worst # s of #';

test('npm run bench prints every figure', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/main.ts', '--short']);

  const figures = stdout.split('\n').map((line) => line.replaceAll(/-?\d+(?:\.\d+)?|–/g, '#'));
  expect(figures).toEqual([
    expect.stringContaining(`Node v`),
    'create, # at once   gateway #/s, bare #/s, ratio # (goal ≥ #)',
    '  CPU time a call    gateway # µs, bare # µs, ratio #',
    '  through node:http  gateway #/s, bare #/s, ratio #',
    '  AWS and callers    # % of their core at most',
    'create, one at once  gateway # ms, bare # ms, added # ms (goal ≤ #)',
    'creates over TLS     # at once, compared with Fastify and the SDK with its defaults',
    '  Fastify, SDK       #/s, ratio #, CPU time # µs, ratio #, # MiB',
    '  gateway            #/s, ratio # (goal ≥ #), CPU time # µs, ratio #, # MiB',
    '  gateway, with auth #/s, ratio # (goal ≥ #), CPU time # µs, ratio #, # MiB',
    '  creates at AWS     # on # connections',
    'create, with auth    gateway #/s, bare #/s, ratio # (goal ≥ #)',
    '  CPU time a call    gateway # µs, bare # µs, ratio #',
    '  no cached decision gateway #/s, bare #/s, ratio # (goal ≥ #)',
    '  CPU time a call    gateway # µs, bare # µs, ratio #',
    'create, scraped # s  gateway #/s, bare #/s, ratio # (goal ≥ #)',
    '  CPU time a call    gateway # µs, bare # µs, ratio #',
    '  by CPU samples     observations # % of a create, a scrape # ms of CPU time',
    '  CPU time, ratio    # scraped every second, # every # s (goal ≥ #)',
    '  scrape             # KiB in # ms',
    ...['# %', '# % '].flatMap((share) => [
      `create, ${share} traced gateway #/s, bare #/s, ratio #`,
      '  CPU time a call    gateway # µs, bare # µs, ratio #',
    ]),
    'GET /health/live     gateway #/s, bare #/s, ratio # (goal ≥ #)',
    '  CPU time a call    gateway # µs, bare # µs, ratio #',
    'decision             # µs by # policy, # µs by #, # µs by # (goal ≤ #)',
    'start to ready       bundle # ms (goal ≤ #), sources # ms, without compile cache # and # ms',
    'memory when ready    bundle # MiB resident (goal ≤ #), sources # MiB, without compile cache # and # MiB',
    'memory after use     # MiB more resident after # requests (goal ≤ #)',
    ...[1, 2].flatMap(() => [
      'overload, AWS # s    goodput #/s of #/s, ratio # (goal ≥ #)',
      '  accepted           p# # ms (goal ≤ #)',
      '  refused            p# # ms (goal ≤ #), #, # other answers',
      '  CPU time a call    # µs accepted, # µs refused',
      '  GET /health/live   # ms at most meanwhile (goal ≤ #)',
      '  memory             # MiB more resident at most (goal ≤ #)',
      '  afterwards         normal within # s (goal ≤ #)',
    ]),
    ...['# s           ', '## s, read '].flatMap((tasks) => [
      `hand-off, ${tasks}mean # s (goal ≤ #), p# # s (goal ≤ #), # tasks`,
      '  calls to AWS          # describes a second, # calls, # at most in a second',
    ]),
    '  reads of a caller     p# # ms, at most # ms, # of # refused (goal #)',
    'hand-off, verified   mean # s, not verified # s, # s more (goal ≤ #)',
    'verify, # streams     # MiB more resident at most (goal ≤ #), in # s',
    'makespan, # s        # × the time of # tasks (goal ≤ #), run in # s',
    'makespan, # s       # × the time of # tasks (goal ≤ #), run in # s',
    ...['SQLite    ', 'PostgreSQL'].flatMap((storage) => [
      `accept, ${storage}   # ms for # slices (goal ≤ #)`,
      '  CPU time           gateway # ms',
      '  GET /health/live   # ms at most meanwhile, worst # ms (goal ≤ #)',
    ]),
    ...['SQLite    ', 'PostgreSQL'].flatMap((storage) => [
      `pick-next, ${storage} p# # p# # ms of # waiting, p# # p# # ms of # (goal p# ≤ #), p# ratio # (goal ≤ #)`,
      '  read the slot      p# # p# # ms of # waiting, p# # p# # ms of #',
      '  pick and start     p# # p# # ms of # waiting, p# # p# # ms of #',
    ]),
    ...['SQLite    ', 'PostgreSQL'].flatMap((storage) => [
      `retention, ${storage} list ${latencies}`,
      `  get                ${latencies}`,
      `  pick-next          ${latencies}`,
      '  longest wait       # ms (goal ≤ #), on an empty database # ms',
      '  pace               # rows/s; without pauses # rows/s',
      '  after kill #      # jobs in part (goal #), # slices left, deleted in # s; then # left (goal #), # waiting',
    ]),
    ...['SQLite    ', 'PostgreSQL'].flatMap((storage) => [
      `coverage, ${storage} # rows, # log groups of # days, filled in # s`,
      ...['by-day ', 'by-hour'].map(
        (archive) =>
          `  ${archive}            first page # ms, far behind # ms, state=lost # ms, state=missing # ms, one month # ms, grid # ms (goal ≤ #)`,
      ),
      '  GET /coverage      an hour # ms, a year # ms (goal ≤ #)',
    ]),
    'watchers, #         # reads/s of one job (goal ≥ #), each # ms',
    '  CPU time a read    gateway # µs',
    '  calls to AWS       # a second (goal ≤ #)',
    ...['SQLite    ', 'PostgreSQL'].flatMap((storage) => [
      `unauthorized, ${storage} # to # × the time of # jobs and tasks that do not exist (goal # to #), same bytes`,
      '  by route           get #, slices #, events #, cancel #, retry #, task #, cancel task #',
    ]),
    'failover, in a task  # s after kill # (lease # s, goal ≤ #)',
    '  after a create     # s after kill # (lease # s, goal ≤ #)',
    ...['SQLite    ', 'PostgreSQL'].flatMap((storage) => [
      `targets, ${storage}  #: listening after # s (goal ≤ #), ready # s (goal ≤ #), all checked # s`,
      '  memory             # MiB resident, # MiB of it anonymous (goal ≤ #)',
      '  CPU time           # % of a core (goal ≤ #)',
      '  calls to AWS       # a minute (goal #)',
      '  statements         # a second (goal ≤ #)',
      '  GET /targets       # ms',
      `targets, ${storage}  #: listening after # s, ready # s, all checked # s`,
      '  memory             # MiB resident, # MiB of it anonymous, # KiB more for each target (goal ≤ #)',
      '  CPU time           # % of a core',
      '  calls to AWS       # a minute',
      '  statements         # a second',
      '  GET /targets       # ms',
    ]),
    ...['SQLite    ', 'PostgreSQL'].flatMap((storage) => [
      `busy, ${storage}     # targets: ${handOff}`,
      '  calls to AWS       # a second per slot (goal ≤ #)',
      '  CPU time           # % of a core (goal ≤ #)',
    ]),
    `replicas, #          # targets, tasks of # s in real time: ${handOff}`,
    expect.stringMatching(
      /^ {2}shares {13}#(?:, #)* of the slots \(goal # to #\), # s after the third came \(goal ≤ #\)$/,
    ),
    '  CPU time           # % of a core, all replicas together',
    '  after kill #      # busy slots taken over within # s (lease # s, goal ≤ #)',
    '  exports            # tasks: # lost, # duplicated, # stuck, # unlawful (goal #)',
    'broken neighbours    p# # ms beside an account whose STS hangs and a throttled one, # ms without, ratio # (goal #)',
    expect.stringMatching(
      /^rolls {16}# at # requests\/s over kept connections: # of # requests failed.* \(goal #\)$/,
    ),
    '  exit               after # s at most, # not with # (goal #)',
    expect.stringMatching(/^soak {17}# min at # requests\/s: # of # requests failed.* \(goal #\)$/),
    '  memory             # ± # MiB an hour, of # MiB anonymous',
    '  descriptors        # ± # an hour, of #',
    '  GET /health/live   # ± # ms an hour, of # ms',
    '',
  ]);
});
