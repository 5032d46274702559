import { randomUUID } from 'node:crypto';

import { openAuthorizer } from '#auth/authorization/open-authorizer.ts';
import { median } from '../round.ts';

/** How often each is decided. */
export interface DecisionsToMake {
  rounds: number;
  /** By each number of policies in a round. */
  decisions: number;
}

/** How long a decision took in the middle, in microseconds, by number of policies. */
export type DecisionTimes = Record<number, number>;

const silent = { info() {}, warn() {}, error() {} };
const noAudit = { decision() {}, awsCall() {}, refusal() {} };

process.on('disconnect', () => process.exit());
process.on('message', async (wanted: DecisionsToMake) => process.send?.(await measure(wanted)));
process.send?.({});

async function measure({ rounds, decisions }: DecisionsToMake): Promise<DecisionTimes> {
  const subjects = await Promise.all([1, 10, 100].map(makeSubject));
  for (const { decide } of subjects) for (let warmUp = 0; warmUp < decisions; warmUp++) decide();
  // In turn, so that what else the machine does falls on all alike.
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
    sleep: () => new Promise(() => {}), // they never change
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
  let asked = 0;
  // Of another log group each time: what was decided before is remembered.
  const decide = () => {
    const resource = { target, logGroupName: `${question.resource.logGroupName}-${asked++}` };
    return authorizer.require(request, { ...question, resource });
  };
  return { policies, decide, tookUs: [] as number[] };
}

/** As in deploy/policies, a policy for each team. */
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
