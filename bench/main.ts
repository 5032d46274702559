import { parseArgs } from 'node:util';

import { startChild } from './child.ts';
import { measureCalls } from './figures/calls.ts';
import { measureHealth } from './figures/health.ts';
import { measureMemory } from './figures/memory.ts';
import { measureStart } from './figures/start.ts';
import { startGateway } from './gateway.ts';
import { describeMachine, othersCore } from './machine.ts';
import type { Scale } from './scale.ts';

const figures = {
  calls: measureCalls,
  health: measureHealth,
  start: measureStart,
  memory: measureMemory,
};

const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false } },
  allowPositionals: true, // the names of figures; all when left out
});
// The short form tells whether everything still measures, not how fast anything is.
const scale: Scale = values.short
  ? { warmUpCalls: 1, rounds: 2, roundSeconds: 0.3, starts: 1, requests: 300 }
  : { warmUpCalls: 10_000, rounds: 15, roundSeconds: 1, starts: 11, requests: 100_000 };

const say = (text: string) => process.stdout.write(`${text}\n`);
say(describeMachine());
await using aws = startChild({ script: 'bench/processes/aws.ts', core: othersCore });
const { url: awsUrl } = await aws.hello<{ url: string }>();
await using callers = startChild({ script: 'bench/processes/callers.ts', core: othersCore });
await callers.hello();
await using first = await startGateway(awsUrl);
await first.end(); // writes the compile cache the others start from

for (const [name, measure] of Object.entries(figures)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  for (const line of await measure({ aws, awsUrl, callers }, scale)) say(line);
}
