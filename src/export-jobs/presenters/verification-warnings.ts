import type { Warning } from '#export-tasks/export-task.ts';
import { countOf } from '#problems/limits.ts';
import type { JobSnapshot } from '../store/reads/read-jobs.ts';
import { maxSearchPages } from '../verification/prove-emptiness.ts';

/** Warns of verifications of a job that prove less than they should, and names what they lacked. */
export function warningsOfVerification({
  verified,
  proofGaps,
}: Pick<JobSnapshot, 'verified' | 'proofGaps'>): Warning[] {
  const { skippedSlices, unprovenSlices, uncountedSlices } = verified;
  const { deniedActions, isSearchCut } = proofGaps;
  const warnings: Warning[] = [];
  if (skippedSlices > 0) {
    const slices = countOf(skippedSlices, 'completed slice');
    const detail = `The service role may not list the bucket, so nobody knows whether the objects of ${slices} exist. ${permit(['s3:ListBucket'])}`;
    warnings.push({ pointer: '#/destination', detail });
  }
  if (unprovenSlices > 0) {
    const slices = countOf(unprovenSlices, 'completed slice');
    const reasons = [
      isSearchCut && `${maxSearchPages} pages of FilterLogEvents were not enough.`,
      permit(deniedActions.filter(isOfSearch)),
    ];
    const detail = `It is not proved that ${slices} without objects ${unprovenSlices === 1 ? 'has' : 'have'} no log events. ${inWords(reasons, 'emptinessEvidence')}`;
    warnings.push({ pointer: '#/verification', detail });
  }
  if (uncountedSlices > 0) {
    const reasons = [permit(deniedActions.filter((action) => !isOfSearch(action)))];
    const detail = `The log events of ${countOf(uncountedSlices, 'completed slice')} were not counted. Missing objects can remain undetected. ${inWords(reasons, 'countProblem')}`;
    warnings.push({ pointer: '#/verification', detail });
  }
  return warnings;
}

const isOfSearch = (action: string) => action === 'logs:FilterLogEvents';

const permit = (actions: readonly string[]) =>
  actions.length > 0 && `Permit ${actions.join(' and ')} for the service role.`;

/** The known reasons, or the member of the slices that has them. */
function inWords(reasons: readonly (string | false)[], member: string): string {
  const known = reasons.filter((reason) => reason !== false);
  return known.length > 0 ? known.join(' ') : `\`${member}\` of the slices has the reason.`;
}
