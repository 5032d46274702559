import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startChild } from '../child.ts';
import { makeFolder } from '../folder.ts';
import { startGateway } from '../gateway.ts';
import { othersCore } from '../machine.ts';
import { order } from '../order.ts';
import { measurePairs, tellRates } from '../pairs.ts';
import type { IssuerHello } from '../processes/issuer.ts';
import type { RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

const audience = 'log-export-gateway';
const policies = 100;
const group = 'checkout';

/** CreateExportTask by callers who are known and permitted, against the same by anybody. */
export async function measureAuth({ awsUrl, callers }: World, scale: Scale): Promise<string[]> {
  await using issuer = startChild({
    script: 'bench/processes/issuer.ts',
    core: othersCore,
    env: { AUDIENCE: audience, GROUP: group },
  });
  const { url, token } = await issuer.hello<IssuerHello>();
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
  for (const [name, request] of orders) {
    const round = { seconds: scale.roundSeconds, parallel: 50, requests: [request] };
    const pairs = await measurePairs(
      {
        child: guarded,
        makeRound: () => callers.ask<RoundResult>({ ...round, url: guarded.url, token }),
      },
      { child: open, makeRound: () => callers.ask<RoundResult>({ ...round, url: open.url }) },
      scale,
    );
    const { rates, cpuTimes } = tellRates(pairs);
    lines.push(`${name.padEnd(20)} ${rates} (goal ≥ 0.85)`, `  CPU time a call    ${cpuTimes}`);
  }
  return lines;
}

const orders = [
  ['create, known caller', 'create'],
  ['  another each time', 'createAnother'],
] as const;

/** A team and what it may export where; the one that decides is the last of all. */
function policyOf(issuer: string, team: string): string {
  return `permit(
    principal in Group::"${issuer}#${team}",
    action == Action::"CreateExportTask",
    resource is LogGroup
  ) when {
    resource.name like "/demo/${team}*" &&
    context.destination == "${order.destination}" &&
    context.destinationPrefix like "${team}/*"
  };`;
}
