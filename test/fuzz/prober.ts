import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

// Asks /health/live again and again, in a thread of its own, so that no delay of the sender of requests
// is taken for one of the gateway. Tells what it found when it is told to stop.

const { url } = workerData as { url: string };
const pauseMs = 10; // of a probe that matters there is one in ten seconds
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const found = { probes: 0, slowestMs: 0, failures: 0 };
let isStopping = false;
parentPort?.once('message', () => {
  isStopping = true;
});

while (!isStopping) {
  const beganAt = performance.now();
  const status = await ask();
  found.probes += 1;
  found.slowestMs = Math.max(found.slowestMs, performance.now() - beganAt);
  if (status !== 200) found.failures += 1;
  await delay(pauseMs);
}
agent.destroy();
parentPort?.postMessage(found);

function ask(): Promise<number | undefined> {
  return new Promise((resolve) => {
    get(`${url}/health/live`, { agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    }).on('error', () => resolve(undefined));
  });
}
