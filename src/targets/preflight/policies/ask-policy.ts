import { setImmediate } from 'node:timers/promises';
import type { Reading } from '#aws/storage/storage.ts';
import { decideAlike, type PolicyDecision, type PolicyRequest } from '../policy/decide.ts';
import { type PolicyDocument, readPolicy } from '../policy/policy-document.ts';
import type { AlikeRequests } from './export-requests.ts';

/** A policy as it was read. Without one, nothing is allowed. */
export interface CurrentPolicy {
  document: PolicyDocument | undefined;
  text: string;
}

/** Reads a policy; `undefined` if it could not be read or is not understood. */
export function currentPolicy(reading: Reading<string>): CurrentPolicy | undefined {
  if (reading.outcome === 'absent') return { document: undefined, text: '' };
  const document = reading.outcome === 'known' ? readPolicy(reading.value) : undefined;
  return document && reading.outcome === 'known' ? { document, text: reading.value } : undefined;
}

/** A request and the decision of a policy about it. */
export interface Asked {
  request: PolicyRequest;
  decision: PolicyDecision;
}

/** Decides questions up to the first that is refused. Otherwise, the first unknown one counts. */
export async function askPolicy(
  { document }: CurrentPolicy,
  [first, ...others]: readonly [AlikeRequests, ...AlikeRequests[]],
): Promise<Asked> {
  const ask = (requests: AlikeRequests): Asked => ({
    request: requests[0],
    decision: document ? decideAlike(document, requests) : { outcome: 'not-allowed' },
  });
  let asked = ask(first);
  for (const requests of others) {
    if (isRefused(asked)) return asked;
    await setImmediate(); // a policy with many wildcards takes long
    const next = ask(requests);
    if (isRefused(next) || asked.decision.outcome === 'allowed') asked = next;
  }
  return asked;
}

/** Whether the policy certainly refuses the request. */
export function isRefused({ decision }: Asked): boolean {
  return decision.outcome === 'denied' || decision.outcome === 'not-allowed';
}

/** Explains a decision that is not `allowed`. */
export function explainDecision(
  { policy: Policy, caller }: { policy: string; caller: 'CloudWatch Logs' | 'the service role' },
  { request: { action, resource }, decision }: Asked,
): { detail: string; remedy: string } {
  const policy = Policy.replace('The', 'the');
  const permission = `${caller} ${action} on ${resource}`;
  switch (decision.outcome) {
    case 'denied': {
      const { statement, conditions } = decision;
      const because = conditions.length > 0 ? ` Its condition is ${conditions.join(', ')}.` : '';
      return {
        detail: `Statement ${statement} of ${policy} denies ${permission}.${because}`,
        remedy: exempting[caller],
      };
    }
    case 'unknown': {
      const { statement, because } = decision;
      const where = statement === undefined ? '' : ` of statement ${statement}`;
      return {
        detail: `It is unknown whether ${policy} allows ${permission}. That depends on ${because}${where}.`,
        remedy: 'Create a small export to find out, or compare the policy with the documentation.',
      };
    }
    default: {
      const nearest = decision.outcome === 'not-allowed' ? decision.nearest : undefined;
      const near = nearest
        ? ` Statement ${nearest.statement} does not apply because of its ${nearest.lacks}.`
        : '';
      return {
        detail: `No statement of ${policy} allows ${permission}.${near}`,
        remedy: 'Replace the policy with `fix`. It keeps the existing statements.',
      };
    }
  }
}

const exempting = {
  'CloudWatch Logs':
    'Change the statement so that it does not apply to CloudWatch Logs. The condition `Bool` of `aws:PrincipalIsAWSService` with the value `false` does that.',
  'the service role': 'Change the statement so that it does not apply to the service role.',
};
