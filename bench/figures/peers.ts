import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Child, startChild } from '../child.ts';
import { makeFolder } from '../folder.ts';
import { awsEnvironment, startGateway } from '../gateway.ts';
import { supportCore } from '../machine.ts';
import { type Peer, peers, startFastifyPeer } from '../peers.ts';
import { permittedGroup, writePolicies } from '../policies.ts';
import type { TlsAwsReady, TlsAwsRecord } from '../processes/tls-aws.ts';
import { region } from '../requests.ts';
import { median, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** A measured service, and what each of its rounds took. */
interface Subject {
  name: string;
  service: Peer;
  credential?: string;
  goal?: string;
  rounds: { rate: number; cpuMs: number; ratio: number; cpuRatio: number }[];
}

const parallel = 50;
const apiKey = 'key of the benchmark';

/** CreateExportTask over TLS, as at AWS, compared with small services that do the same without checks. */
export async function measurePeers({ awsUrl, callers }: World, scale: Scale): Promise<string[]> {
  await using aws = startChild({ script: 'bench/processes/tls-aws.ts', core: supportCore });
  const { url, authority } = await aws.whenReady<TlsAwsReady>();
  const authorityFile = join(makeFolder(), 'authority.pem');
  writeFileSync(authorityFile, authority);
  const env = {
    ...awsEnvironment(awsUrl), // STS, over plain HTTP
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: url,
    NODE_EXTRA_CA_CERTS: authorityFile,
    SSL_CERT_FILE: authorityFile, // Go
    AWS_CA_BUNDLE: authorityFile, // boto3
    AWS_DEFAULT_REGION: region, // boto3
  };
  await using services = new AsyncDisposableStack();
  const lines: string[] = [];
  const subjects: Subject[] = [];
  const add = (service: Peer, facts: Pick<Subject, 'name' | 'credential' | 'goal'>) =>
    subjects.push({ ...facts, service: services.use(service), rounds: [] });
  add(await startFastifyPeer(env), { name: 'Fastify, SDK' });
  add(await startGateway(awsUrl, { env }), { name: 'gateway', goal: '1.0' });
  add(await startGateway(awsUrl, { env: { ...env, ...writeAccess() } }), {
    name: 'gateway, with auth',
    credential: `X-Api-Key: ${apiKey}`,
    goal: '0.85',
  });
  for (const [name, start] of scale.arePeersBuilt ? Object.entries(peers) : []) {
    const peer = await start(env);
    if (peer) add(peer, { name });
    else lines.push(`  ${name.padEnd(18)} not installed`);
  }

  const before = await aws.call<TlsAwsRecord>('read');
  await measureInTurns(subjects, callers, scale);
  const after = await aws.call<TlsAwsRecord>('read');
  const creates = after.creates - before.creates;
  const connections = after.connections - before.connections;
  return [
    `creates over TLS     ${parallel} at once, compared with Fastify and the SDK with its defaults`,
    ...subjects.map(format),
    ...lines,
    `  creates at AWS     ${creates} on ${connections} connections`,
  ];
}

/** The environment of a gateway with API keys and a hundred policies. */
function writeAccess(): Record<string, string> {
  const sha256 = createHash('sha256').update(apiKey).digest('hex');
  const keysFile = join(makeFolder(), 'api-keys.json');
  writeFileSync(keysFile, JSON.stringify([{ name: 'bench', sha256, groups: [permittedGroup] }]));
  return { AUTH: 'api-key', API_KEYS_FILE: keysFile, POLICY_DIR: writePolicies('api-key') };
}

/** Measures all subjects in each round, so that other load on the machine affects them equally. */
async function measureInTurns(
  subjects: Subject[],
  callers: Child,
  { rounds, warmUpCalls, roundSeconds: seconds }: Scale,
): Promise<void> {
  const run = ({ service, credential }: Subject) => {
    const round = { seconds, parallel, requests: ['create'], url: service.url };
    return callers.call<RoundResult>({ ...round, ...(credential && { credential }) });
  };
  for (const subject of subjects) {
    for (let calls = 0; calls < warmUpCalls; ) calls += (await run(subject)).calls;
  }
  for (let round = 0; round < rounds; round++) {
    let first: { rate: number; cpuMs: number } | undefined;
    for (const subject of subjects) {
      const cpuBefore = subject.service.cpuMs();
      const { calls, callsPerSecond: rate } = await run(subject);
      const cpuMs = (subject.service.cpuMs() - cpuBefore) / calls;
      first ??= { rate, cpuMs };
      const ratios = { ratio: rate / first.rate, cpuRatio: first.cpuMs / cpuMs };
      subject.rounds.push({ rate, cpuMs, ...ratios });
    }
  }
}

function format({ name, goal, rounds, service }: Subject): string {
  const medianOf = (member: keyof Subject['rounds'][number]) =>
    median(rounds.map((round) => round[member]));
  const figures = [
    `${medianOf('rate').toFixed(0)}/s`,
    `ratio ${medianOf('ratio').toFixed(2)}${goal ? ` (goal ≥ ${goal})` : ''}`,
    `CPU time ${(medianOf('cpuMs') * 1_000).toFixed(0)} µs`,
    `ratio ${medianOf('cpuRatio').toFixed(2)}`,
    `${service.residentMib().toFixed(0)} MiB`,
  ];
  return `  ${name.padEnd(18)} ${figures.join(', ')}`;
}
