import { parseArgs } from 'node:util';

import { startAws } from './aws.ts';
import { startChild } from './child.ts';
import { measureAuth } from './figures/auth.ts';
import { measureCalls } from './figures/calls.ts';
import { measureDecision } from './figures/decision.ts';
import { measureHealth } from './figures/health.ts';
import { measureAccept } from './figures/jobs/accept.ts';
import { measureHandOff } from './figures/jobs/hand-off.ts';
import { measureMakespan } from './figures/jobs/makespan.ts';
import { measurePick } from './figures/jobs/pick.ts';
import { measureStrangers } from './figures/jobs/strangers.ts';
import { measureTakeOver } from './figures/jobs/take-over.ts';
import { measureWatchers } from './figures/jobs/watchers.ts';
import { measureMemory } from './figures/memory.ts';
import { measureOverload } from './figures/overload.ts';
import { measureStart } from './figures/start.ts';
import { startGateway } from './gateway.ts';
import { describeMachine, othersCore, stepAside } from './machine.ts';
import { makeDatabases } from './postgres.ts';
import type { Scale } from './scale.ts';

const figures = {
  calls: measureCalls,
  auth: measureAuth,
  health: measureHealth,
  decision: measureDecision,
  start: measureStart,
  memory: measureMemory,
  overload: measureOverload,
  'hand-off': measureHandOff,
  makespan: measureMakespan,
  accept: measureAccept,
  pick: measurePick,
  watchers: measureWatchers,
  strangers: measureStrangers,
  'take-over': measureTakeOver,
};

const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false } },
  allowPositionals: true, // the names of figures; all when left out
});
// The short form tells whether everything still measures, not how fast anything is.
const scale: Scale = values.short
  ? {
      warmUpCalls: 1,
      rounds: 1,
      roundSeconds: 0.1,
      starts: 1,
      requests: 100,
      floodSeconds: 0.3,
      recoverySeconds: 1,
      queueSeconds: 4,
      logGroups: 10,
      days: 1,
      acceptances: 1,
      waiting: 10_000,
      picks: 20,
      watchers: 20,
      strangers: 10,
      isLeaseAwaited: false,
    }
  : {
      warmUpCalls: 10_000,
      rounds: 15,
      roundSeconds: 1,
      starts: 11,
      requests: 100_000,
      floodSeconds: 15,
      recoverySeconds: 30,
      queueSeconds: 60,
      logGroups: 100,
      days: 30,
      acceptances: 7,
      waiting: 1_000_000,
      picks: 200,
      watchers: 1_000,
      strangers: 10_000,
      isLeaseAwaited: true,
    };

const say = (text: string) => process.stdout.write(`${text}\n`);
say(describeMachine());
stepAside();
await using databases = makeDatabases();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await databases[Symbol.asyncDispose]();
    process.exit(1); // which ends everything else
  });
}
await using aws = await startAws();
const { url: awsUrl } = aws;
await using callers = startChild({ script: 'bench/processes/callers.ts', core: othersCore });
await callers.hello();
await using first = await startGateway(awsUrl);
await first.end(); // writes the compile cache the others start from

const world = { aws, awsUrl, callers, databases };
const isChosen = ([name]: [string, unknown]) =>
  positionals.length === 0 || positionals.includes(name);
const chosen = Object.entries(figures).filter(isChosen);
// Those that wait most of the time, in processes of their own: the short form waits for them only once.
const waiting = ['hand-off', 'take-over'];
const beside = new Map(
  chosen
    .filter(([name]) => values.short && waiting.includes(name))
    .map(([name, measure]) => [name, measure(world, scale)]),
);
for (const [name, measure] of chosen) {
  for (const line of await (beside.get(name) ?? measure(world, scale))) say(line);
}
