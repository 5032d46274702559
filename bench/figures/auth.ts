import { startChild } from '../child.ts';
import { supportCore } from '../machine.ts';
import { formatRates, measurePairs } from '../pairs.ts';
import { permittedGroup, writePolicies } from '../policies.ts';
import type { IssuerReady } from '../processes/issuer.ts';
import type { RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

const audience = 'log-export-gateway';

/** CreateExportTask by authenticated and authorized callers, compared with AUTH=none. */
export async function measureAuth(
  { openGateway, callers }: World,
  scale: Scale,
): Promise<string[]> {
  await using issuer = startChild({
    script: 'bench/processes/issuer.ts',
    core: supportCore,
    env: { AUDIENCE: audience, GROUP: permittedGroup },
  });
  const { url, token } = await issuer.whenReady<IssuerReady>();
  const credential = `Authorization: Bearer ${token}`;
  await using guarded = await openGateway({
    env: { AUTH: 'jwt', JWT_ISSUER: url, JWT_AUDIENCE: audience, POLICY_DIR: writePolicies(url) },
  });
  await using open = await openGateway();
  const lines: string[] = [];
  for (const [name, request] of cases) {
    const round = { seconds: scale.roundSeconds, parallel: 50, requests: [request] };
    const pairs = await measurePairs(
      {
        child: guarded,
        runRound: () => callers.call<RoundResult>({ ...round, url: guarded.url, credential }),
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
