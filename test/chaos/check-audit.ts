import type { Evidence, Violation } from './checker.ts';

/** Every change of a job, and every create that was sent, has one audit entry. */
export function checkAudit({ events, observedCreates, auditEntries }: Evidence): Violation[] {
  const nameOf = (jobId: string | null, version: number | null, type: string | null) =>
    `${jobId} ${version} ${type}`;
  const ofChanges = Map.groupBy(auditEntries, (entry) =>
    nameOf(entry.jobId, entry.version, entry.change),
  );
  const intents = new Set(
    auditEntries
      .filter(({ change }) => change === 'slice-starting')
      .map(({ requestId }) => requestId),
  );
  const unlawful = (text: string) => ({ invariant: 'INV11', kind: 'unlawful', text }) as const;
  return [
    ...events
      .map(({ jobId, version, type }) => nameOf(jobId, version, type))
      .filter((name) => ofChanges.get(name)?.length !== 1)
      .map((name) => unlawful(`${name} has ${ofChanges.get(name)?.length ?? 0} audit entries`)),
    ...observedCreates
      .filter(({ marker }) => !intents.has(marker))
      .map(({ marker }) => unlawful(`${marker} was sent, but is not in the audit`)),
  ];
}
