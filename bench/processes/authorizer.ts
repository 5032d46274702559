import { randomUUID } from 'node:crypto';

import { openAuthorizer } from '#auth/authorization/open-authorizer.ts';
import { median } from '../round.ts';

/** The number of decisions to make. */
export interface DecisionRequest {
  rounds: number;
  /** Per round, for each number of policies. */
  decisions: number;
}

/** The median time of a decision in microseconds, by number of policies. */
export type DecisionTimes = Record<number, number>;

const silent = { info() {}, warn() {}, error() {} };
const noAudit = { decision() {}, awsCall() {}, refusal() {} };

process.on('disconnect', () => process.exit());
process.on('message', async (request: DecisionRequest) => process.send?.(await measure(request)));
process.send?.({});

async function measure({ rounds, decisions }: DecisionRequest): Promise<DecisionTimes> {
  const subjects = await Promise.all([1, 10, 100].map(makeSubject));
  for (const { decide } of subjects) for (let warmUp = 0; warmUp < decisions; warmUp++) decide();
  // In alternation, so that other load on the machine affects all equally.
  for (let round = 0; round < rounds; round++) {
    for (const { decide, tookUs } of subjects) {
      for (let decision = 0; decision < decisions; decision++) {
        const beganAt = performance.now();
        decide();
        tookUs.push((performance.now() - beganAt) * 1_000);
      }
    }
  }
  return Object.fromEntries(subjects.map(({ policies, tookUs }) => [policies, median(tookUs)]));
}

async function makeSubject(policies: number) {
  const text = Array.from({ length: policies }, (_, number) => policyOf(number)).join('');
  const authorizer = await openAuthorizer({
    policyDir: 'policies',
    isAuthenticationOn: true,
    files: { list: async () => ['teams.cedar'], read: async () => Buffer.from(text) },
    newId: randomUUID,
    sleep: () => new Promise(() => {}), // the policies never change
    audit: noAudit,
    log: silent,
  });
  const number = policies - 1;
  const principal = {
    id: 'api-key#a',
    issuer: 'api-key',
    subject: 'a',
    groups: [`team-${number}`],
    claims: { department: ['payments'] },
  };
  const target = { name: 'default', accountId: '123456789012', region: 'eu-west-1' };
  const question = {
    action: 'CreateExportTask' as const,
    resource: { target, logGroupName: `/team-${number}/app` },
    context: {
      destination: `team-${number}-logs`,
      destinationPrefix: `team-${number}/2024`,
      from: 1_714_521_600_000n,
      to: 1_714_607_999_999n,
    },
  };
  const request = { principal, id: 'bench' };
  let questions = 0;
  // A different log group each time, because decisions are cached.
  const decide = () => {
    const resource = { target, logGroupName: `${question.resource.logGroupName}-${questions++}` };
    return authorizer.require(request, { ...question, resource });
  };
  return { policies, decide, tookUs: [] as number[] };
}

/** The policy of a team, as in deploy/policies. */
function policyOf(number: number): string {
  return `permit(
    principal in Group::"api-key#team-${number}",
    action in [Action::"create", Action::"read", Action::"cancel"],
    resource is LogGroup
  ) when {
    resource.name like "/team-${number}/*" &&
    context has destination && context.destination == "team-${number}-logs" &&
    context has destinationPrefix &&
    (context.destinationPrefix == "team-${number}" || context.destinationPrefix like "team-${number}/*")
  };\n`;
}
