import { performance } from 'node:perf_hooks';

// A gateway that loads this module first reads an idle event loop on each machine, also on a busy one. So it sheds no
// request because of the delay of its loop.
performance.eventLoopUtilization = () => ({ idle: 1, active: 0, utilization: 0 });
