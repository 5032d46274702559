import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startChild } from '../child.ts';
import { makeFolder } from '../folder.ts';
import { startGateway } from '../gateway.ts';
import { supportCore } from '../machine.ts';
import { formatRates, measurePairs } from '../pairs.ts';
import type { IssuerReady } from '../processes/issuer.ts';
import { createBody } from '../requests.ts';
import type { RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

const audience = 'log-export-gateway';
const policies = 100;
const group = 'checkout';

/** CreateExportTask by authenticated and authorized callers, compared with AUTH=none. */
export async function measureAuth({ awsUrl, callers }: World, scale: Scale): Promise<string[]> {
  await using issuer = startChild({
    script: 'bench/processes/issuer.ts',
    core: supportCore,
    env: { AUDIENCE: audience, GROUP: group },
  });
  const { url, token } = await issuer.whenReady<IssuerReady>();
  const policyDir = makeFolder();
  const texts = Array.from({ length: policies - 1 }, (_, number) =>
    policyOf(url, `team-${number}`),
  );
  writeFileSync(join(policyDir, 'teams.cedar'), [...texts, policyOf(url, group)].join('\n'));
  await using guarded = await startGateway(awsUrl, {
    env: { AUTH: 'jwt', JWT_ISSUER: url, JWT_AUDIENCE: audience, POLICY_DIR: policyDir },
  });
  await using open = await startGateway(awsUrl);
  const lines: string[] = [];
  for (const [name, request] of cases) {
    const round = { seconds: scale.roundSeconds, parallel: 50, requests: [request] };
    const pairs = await measurePairs(
      {
        child: guarded,
        runRound: () => callers.call<RoundResult>({ ...round, url: guarded.url, token }),
      },
      { child: open, runRound: () => callers.call<RoundResult>({ ...round, url: open.url }) },
      scale,
    );
    const { rates, cpuTimes } = formatRates(pairs);
    lines.push(`${name.padEnd(20)} ${rates} (goal ≥ 0.85)`, `  CPU time a call    ${cpuTimes}`);
  }
  return lines;
}

const cases = [
  ['create, with auth', 'create'],
  ['  no cached decision', 'createUncached'],
] as const;

/** The policy of a team. The one that permits the benchmark is the last. */
function policyOf(issuer: string, team: string): string {
  return `permit(
    principal in Group::"${issuer}#${team}",
    action == Action::"CreateExportTask",
    resource is LogGroup
  ) when {
    resource.name like "/demo/${team}*" &&
    context.destination == "${createBody.destination}" &&
    context.destinationPrefix like "${team}/*"
  };`;
}
