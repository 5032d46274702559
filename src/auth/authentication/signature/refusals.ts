import { Problem } from '#problems/problem.ts';

/** The fault of a request that must be signed. */
export type SignatureFault =
  | 'missing'
  | 'malformed'
  | 'invalid-key'
  | 'expired-key'
  | 'invalid-signature';

const faults = new WeakMap<Problem, SignatureFault>();

const texts = {
  missing: 'Missing Authentication Token',
  'invalid-key': 'The security token included in the request is invalid.',
  'expired-key': 'The security token included in the request is expired',
  'invalid-signature':
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
} as const;

/** Refuses a request with the text of AWS. `reason` appears only in the log. */
export function refuseSigned(fault: keyof typeof texts, reason: string): Problem {
  return refuseSignedBecause(fault, texts[fault], reason);
}

/** Refuses a request with a text of its own. By default, the log has the same text. */
export function refuseSignedBecause(
  fault: SignatureFault,
  detail: string,
  reason = detail,
): Problem {
  const problem = new Problem('unauthenticated', detail, { cause: new Error(reason) });
  faults.set(problem, fault);
  return problem;
}

/** Returns the fault of the refused request; undefined for every other problem. */
export function signatureFaultOf(problem: Problem): SignatureFault | undefined {
  return faults.get(problem);
}
