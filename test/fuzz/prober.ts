import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { makeStopwatch } from './stopwatch.ts';

// Requests /health/live repeatedly in a thread of its own, so that a delay of the sender does not count as
// one of the gateway. It reports its measurements when it is stopped.

const { url, pid } = workerData as { url: string; pid: number };
const startStopwatch = makeStopwatch(pid);
const pauseMs = 10; // longer: short delays of the gateway are missed
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const report = { probes: 0, slowestMs: 0, failures: 0 };
let isStopping = false;
parentPort?.once('message', () => {
  isStopping = true;
});

while (!isStopping) {
  const stop = startStopwatch();
  const status = await probe();
  report.probes += 1;
  report.slowestMs = Math.max(report.slowestMs, stop());
  if (status !== 200) report.failures += 1;
  await delay(pauseMs);
}
agent.destroy();
parentPort?.postMessage(report);

function probe(): Promise<number | undefined> {
  return new Promise((resolve) => {
    get(`${url}/health/live`, { agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    }).on('error', () => resolve(undefined));
  });
}
