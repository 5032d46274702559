import type { Child, Usage } from './child.ts';
import type { Gateways } from './gateway.ts';
import type { Databases } from './postgres.ts';

/** The amounts of measurement. */
export interface Scale {
  /** Rounds of each subject. */
  rounds: number;
  /** Calls of each subject before its rounds, as a warm-up of V8. */
  warmUpCalls: number;
  roundSeconds: number;
  /** The number of starts of the gateway. */
  starts: number;
  /** Whether the gateway is also bundled, which takes seconds. */
  isBundleMade: boolean;
  /** Rounds of each of two settings of one process, for a comparison of small differences. */
  pairsInProcess: number;
  /** Requests between the two readings of memory. */
  requests: number;
  /** The duration of the overload. */
  floodSeconds: number;
  /** The longest wait for normal latency after the overload. */
  recoverySeconds: number;
  /** The duration of a queue in real time. */
  queueSeconds: number;
  /** The number of tasks of 30 to 90 seconds in real time. */
  longTasks: number;
  /** The log streams of a large export. */
  streams: number;
  /** Log groups and days of the job in virtual time: one task for each of both. */
  logGroups: number;
  days: number;
  /** The number of jobs of 10,000 slices to accept. */
  acceptances: number;
  /** Slices in the longer of two queues; the shorter one has a thousand. */
  waiting: number;
  /** Picks from each queue, and decisions for each number of policies, per round. */
  picks: number;
  /** Finished slices to delete, and the duration of a round of requests meanwhile. */
  finished: number;
  purgeSeconds: number;
  /** The coverage of archives: one row for each log group and hour. */
  coverage: { logGroups: number; days: number };
  /** The number of callers who follow one job. */
  watchers: number;
  /** Foreign jobs to read on every route, and as many that do not exist. */
  foreignJobs: number;
  /** Whether to wait for the end of the lease of a killed owner. Otherwise it is expired at once. */
  isLeaseAwaited: boolean;
  /** Whether to build and measure the peers in Go and Python. It may download modules. */
  arePeersBuilt: boolean;
  /** How many gateways are replaced under load. */
  rolls: number;
  /** The duration of the soak. */
  soakSeconds: number;
  /** The highest rate of requests during both, per second. */
  requestsPerSecond: number;
  /** Requests for each sample of the soak. */
  probes: number;
  targets: TargetsScale;
}

/** The amounts of measurement of many targets. */
interface TargetsScale {
  /** The numbers of idle targets. */
  idle: number;
  moreIdle: number;
  idleSeconds: number;
  /** The targets of one process that are busy at once, and the duration of their tasks. */
  busy: number;
  taskSeconds: number;
  /** The same, shared by three replicas. */
  shared: number;
  sharedTaskSeconds: number;
  /** Healthy targets beside broken ones, and requests for them in each round. */
  neighbours: number;
  neighbourRequests: number;
}

/** The processes around the measured one. */
export interface World {
  aws: Usage;
  awsUrl: string;
  callers: Child;
  databases: Databases;
  /** Opens a gateway in front of `aws`. */
  openGateway: Gateways['open'];
}
