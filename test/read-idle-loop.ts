import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll } from 'vitest';

/** The module that a process loads first to read an idle event loop. */
export const idleLoop = new URL('./idle-loop.ts', import.meta.url).href;

/**
 * Lets gateways in the process of a test file read an idle event loop, so that they shed no request on a busy machine.
 * The next file of the process reads its real loop again.
 */
export function readIdleLoop(): void {
  const { eventLoopUtilization } = performance;
  beforeAll(() => {
    performance.eventLoopUtilization = () => ({ idle: 1, active: 0, utilization: 0 });
  });
  afterAll(() => {
    performance.eventLoopUtilization = eventLoopUtilization;
  });
}
