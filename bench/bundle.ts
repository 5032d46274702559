import { execFileSync } from 'node:child_process';

import { pathOf } from './child.ts';
import { startGateway } from './gateway.ts';

/** Makes the bundle that the image runs, and starts it once: this fills the compile cache for later starts. */
export async function makeBundle(awsUrl: string): Promise<void> {
  execFileSync('npm', ['run', 'bundle'], { cwd: pathOf('.') });
  await using first = await startGateway(awsUrl, { isBundle: true });
  await first.end();
}
