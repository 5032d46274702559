import { parseArgs } from 'node:util';

import { startAws } from './aws.ts';
import { startChild } from './child.ts';
import { measureAuth } from './figures/auth.ts';
import { measureCalls } from './figures/calls.ts';
import { measureCoverage } from './figures/coverage.ts';
import { measureDecision } from './figures/decision.ts';
import { measureHealth } from './figures/health.ts';
import { measureAccept } from './figures/jobs/accept.ts';
import { measureFailover } from './figures/jobs/failover.ts';
import { measureHandOff } from './figures/jobs/hand-off.ts';
import { measureMakespan } from './figures/jobs/makespan.ts';
import { measurePickNext } from './figures/jobs/pick-next.ts';
import { measureRetention } from './figures/jobs/retention.ts';
import { postgres, sqlite } from './figures/jobs/storage-backends.ts';
import { measureUnauthorizedCallers } from './figures/jobs/unauthorized-callers.ts';
import { measureVerification } from './figures/jobs/verification.ts';
import { measureWatchers } from './figures/jobs/watchers.ts';
import { measureMemory } from './figures/memory.ts';
import { measureMetrics } from './figures/metrics.ts';
import { measureRolls } from './figures/operating/rolls.ts';
import { measureSoak } from './figures/operating/soak.ts';
import { measureOverload } from './figures/overload.ts';
import { measurePeers } from './figures/peers.ts';
import { measureStart } from './figures/start.ts';
import { measureBusyTargets } from './figures/targets/busy.ts';
import { measureIdleTargets } from './figures/targets/idle.ts';
import { measureNeighbours, neighboursOf } from './figures/targets/neighbours.ts';
import { measureReplicas } from './figures/targets/replicas.ts';
import { measureTraces } from './figures/traces.ts';
import { isShort } from './form.ts';
import { makeGateways } from './gateway.ts';
import { describeMachine, moveToSupportCore, supportCore } from './machine.ts';
import { makeDatabases } from './postgres.ts';
import type { Scale } from './scale.ts';

const figures = {
  calls: measureCalls,
  peers: measurePeers,
  auth: measureAuth,
  metrics: measureMetrics,
  traces: measureTraces,
  health: measureHealth,
  decision: measureDecision,
  start: measureStart,
  memory: measureMemory,
  overload: measureOverload,
  'hand-off': measureHandOff,
  verification: measureVerification,
  makespan: measureMakespan,
  accept: measureAccept,
  'pick-next': measurePickNext,
  'retention-sqlite': measureRetention.bind(undefined, sqlite),
  'retention-postgres': measureRetention.bind(undefined, postgres),
  coverage: measureCoverage,
  watchers: measureWatchers,
  unauthorized: measureUnauthorizedCallers,
  failover: measureFailover,
  'targets-idle': measureIdleTargets,
  'targets-busy': measureBusyTargets,
  'targets-replicas': measureReplicas,
  'targets-neighbours': measureNeighbours,
  rolls: measureRolls,
  soak: measureSoak,
};

const { positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false } },
  allowPositionals: true, // the names of figures, or their first word; default: all
});
const scale: Scale = isShort
  ? {
      warmUpCalls: 1,
      rounds: 1,
      roundSeconds: 0.1,
      starts: 1,
      isBundleMade: false,
      pairsInProcess: 1,
      requests: 100,
      floodSeconds: 0.3,
      recoverySeconds: 1,
      queueSeconds: 4,
      longTasks: 0,
      streams: 100,
      logGroups: 4,
      days: 1,
      acceptances: 1,
      waiting: 4_000,
      picks: 20,
      finished: 1_000,
      purgeSeconds: 0.2,
      coverage: { logGroups: 4, days: 3 },
      watchers: 20,
      foreignJobs: 3,
      isLeaseAwaited: false,
      arePeersBuilt: false,
      rolls: 1,
      soakSeconds: 1,
      requestsPerSecond: 20,
      probes: 1,
      targets: {
        idle: 5,
        moreIdle: 10,
        idleSeconds: 0.5,
        busy: 2,
        taskSeconds: 1,
        shared: 6,
        sharedTaskSeconds: 2,
        neighbours: 10,
        neighbourRequests: 20,
      },
    }
  : {
      warmUpCalls: 10_000,
      rounds: 15,
      roundSeconds: 1,
      starts: 11,
      isBundleMade: true,
      pairsInProcess: 60,
      requests: 100_000,
      floodSeconds: 15,
      recoverySeconds: 30,
      queueSeconds: 240,
      longTasks: 12,
      streams: 20_000,
      logGroups: 100,
      days: 30,
      acceptances: 7,
      waiting: 1_000_000,
      picks: 200,
      finished: 1_000_000,
      purgeSeconds: 4,
      coverage: { logGroups: 1_000, days: 366 },
      watchers: 1_000,
      foreignJobs: 10_000,
      isLeaseAwaited: true,
      arePeersBuilt: true,
      rolls: 100,
      soakSeconds: 900,
      // Higher: the senders need more of their core than they have.
      requestsPerSecond: 600,
      probes: 15,
      targets: {
        idle: 1_000,
        moreIdle: 10_000,
        idleSeconds: 60,
        busy: 200,
        taskSeconds: 20,
        shared: 1_000,
        // Shorter: three gateways, PostgreSQL and the emulator need more than two cores. Longer: the figure
        // takes longer.
        sharedTaskSeconds: 60,
        neighbours: 100,
        neighbourRequests: 1_000,
      },
    };

const print = (text: string) => process.stdout.write(`${text}\n`);
print(describeMachine());
moveToSupportCore();
await using databases = makeDatabases();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await databases[Symbol.asyncDispose]();
    process.exit(1); // this ends all children
  });
}
await using aws = await startAws(undefined, neighboursOf(scale).length);
const { url: awsUrl } = aws;
await using callers = startChild({ script: 'bench/processes/callers.ts', core: supportCore });
await callers.whenReady();
await using gateways = makeGateways(awsUrl);
await using first = await gateways.open();
await first.end(); // fills the compile cache for the others

const world = { aws, awsUrl, callers, databases, openGateway: gateways.open };
const isChosen = ([name]: [string, unknown]) =>
  positionals.length === 0 ||
  positionals.some((chosen) => name === chosen || name.startsWith(`${chosen}-`));
const chosen = Object.entries(figures).filter(isChosen);
// These mostly wait, in processes of their own. The short form runs them at the same time as the others.
const waiting = [
  'hand-off',
  'verification',
  'failover',
  'targets-idle',
  'targets-busy',
  'targets-replicas',
  'rolls',
];
const inBackground = new Map(
  chosen
    .filter(([name]) => isShort && waiting.includes(name))
    .map(([name, measure]) => [name, measure(world, scale)]),
);
for (const [name, measure] of chosen) {
  for (const line of await (inBackground.get(name) ?? measure(world, scale))) print(line);
}
