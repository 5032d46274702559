import { median } from '../../round.ts';
import type { Scale, World } from '../../scale.ts';
import { cancelJob, createJob } from './create-job.ts';
import { storageBackends } from './storage-backends.ts';

/** The time to accept a job of 10,000 slices, and the latency of other requests meanwhile. */
export async function measureAccept(world: World, scale: Scale): Promise<string[]> {
  const lines: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    await using gateway = await world.openGateway(await openStorage(world));
    const acceptMs: number[] = [];
    const stallMs: number[] = [];
    const cpuMs: number[] = [];
    const jobs: string[] = [];
    await createJob(gateway.url, { logGroups: 1, hours: 1 });
    for (let job = 0; job < scale.acceptances; job++) {
      const cpuMsBefore = gateway.cpuMs();
      const probe = probeHealth(gateway.url);
      const beganAt = performance.now();
      jobs.push(await createJob(gateway.url, { logGroups: 100, hours: 100 }));
      acceptMs.push(performance.now() - beganAt);
      stallMs.push(await probe.stop());
      cpuMs.push(gateway.cpuMs() - cpuMsBefore);
    }
    // In the short form, the gateway runs on: it would export them during the next figures.
    for (const job of jobs) await cancelJob(gateway, job);
    const label = `accept, ${name}`.padEnd(20);
    lines.push(
      `${label} ${median(acceptMs).toFixed(0)} ms for 10000 slices (goal ≤ 1000)`,
      `  CPU time           gateway ${median(cpuMs).toFixed(0)} ms`,
      `  GET /health/live   ${median(stallMs).toFixed(0)} ms at most meanwhile, worst ${Math.max(...stallMs).toFixed(0)} ms (goal ≤ 100)`,
    );
  }
  return lines;
}

/** Requests /health/live continuously. `stop` returns the time of the slowest answer. */
function probeHealth(url: string) {
  let isStopped = false;
  let slowestMs = 0;
  const probe = async () => {
    while (!isStopped) {
      const beganAt = performance.now();
      await fetch(`${url}/health/live`).then((response) => response.text());
      slowestMs = Math.max(slowestMs, performance.now() - beganAt);
    }
  };
  const probing = probe();
  return {
    async stop() {
      isStopped = true;
      await probing;
      return slowestMs;
    },
  };
}
