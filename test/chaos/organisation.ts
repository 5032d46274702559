import { setTimeout as delay } from 'node:timers/promises';
import type { RoleRule } from 'cloudwatch-logs-export-emulator/source';

import type { Absence } from './check-targets.ts';
import type { Violation } from './checker.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterTarget } from './cluster-targets.ts';

/** The roles of a cluster at AWS, and the configuration of its replicas. */
export interface Organisation {
  /** Refuses the role of a target, and ends its sessions. */
  revokeRole(target: ClusterTarget): void;
  restoreRoles(): void;
  /** Gives a target another role. The old one can no longer be assumed. */
  changeRole(target: ClusterTarget): void;
  add(target: ClusterTarget): void;
  /** Removes a target, unless half of them are removed already. */
  remove(target: ClusterTarget): void;
  /** Makes the file invalid until creates have been sent nevertheless. */
  spoilFile(signal: AbortSignal): Promise<void>;
  /** Restores all roles and targets. Resolves when every replica has them. */
  settle(signal: AbortSignal): Promise<void>;
  violations: Violation[];
}

// While the file is invalid, work goes on.
const createsMeanwhile = 3;
const maxMeanwhileMs = 300_000; // shorter: a busy machine looks like a standstill
const lookEveryMs = 50;

/** Makes the organisation of a cluster, with the targets that are configured at first. */
export function makeOrganisation(
  cluster: Cluster,
  initial: readonly ClusterTarget[],
): Organisation {
  const { emulator, targets, targetsFile, absences, replicas, observedCreates } = cluster;
  const current = new Map(targets.map((target) => [target.name, target]));
  const configured = new Set(initial.map(({ name }) => name));
  const revoked = new Set<string>();
  const oldRoles: Record<string, RoleRule> = {};
  const violations: Violation[] = [];
  let roles = 0;

  for (const { name } of targets) if (!configured.has(name)) void noteAbsence(name);

  function writeFile(): void {
    targetsFile.write([...current.values()].filter(({ name }) => configured.has(name)));
  }

  /** Every replica has read a configuration for which this holds. */
  function isConfigured(condition: (names: ReadonlySet<string>) => boolean): boolean {
    return replicas.every((replica) => {
      const names = replica.process().configured();
      return names.size > 0 && condition(names);
    });
  }

  async function noteAbsence(target: string): Promise<void> {
    while (!configured.has(target)) {
      if (isConfigured((names) => !names.has(target))) {
        absences.push({ target, from: Date.now(), until: Number.POSITIVE_INFINITY });
        return;
      }
      await delay(lookEveryMs);
    }
  }

  function endAbsence(target: string): void {
    const isOpen = (of: Absence) => of.target === target && of.until > Date.now();
    for (const absence of absences.filter(isOpen)) absence.until = Date.now();
  }

  // A deleted role ends its sessions: its access keys are unknown from then on.
  function applyRevocations(): void {
    emulator.faults.clear();
    for (const accountId of revoked) {
      const always = { kind: 'error', accountId, count: Number.POSITIVE_INFINITY } as const;
      const refused = { code: 'AccessDenied', status: 403 };
      emulator.faults.add({ ...always, operation: 'AssumeRole', ...refused });
      emulator.faults.add({ ...always, operation: '*', code: 'UnrecognizedClientException' });
    }
  }

  function add({ name }: ClusterTarget): void {
    endAbsence(name);
    configured.add(name);
    writeFile();
  }

  return {
    violations,
    revokeRole({ accountId }) {
      revoked.add(accountId);
      applyRevocations();
    },
    restoreRoles() {
      revoked.clear();
      applyRevocations();
    },
    changeRole({ name, accountId }) {
      const before = current.get(name);
      if (!before) return;
      oldRoles[before.roleArn ?? ''] = { refuses: true };
      emulator.options.change({ roles: oldRoles });
      roles += 1;
      current.set(name, {
        ...before,
        roleArn: `arn:aws:iam::${accountId}:role/log-export-${roles}`,
      });
      writeFile();
    },
    add,
    remove({ name }) {
      if (configured.size <= targets.length / 2 || !configured.delete(name)) return;
      writeFile();
      void noteAbsence(name);
    },
    async spoilFile(signal) {
      // A replica that starts with an invalid file ends, as it should.
      await Promise.all(replicas.map((replica) => replica.process().ready));
      targetsFile.spoil();
      const before = observedCreates.length;
      const until = performance.now() + maxMeanwhileMs;
      while (observedCreates.length < before + createsMeanwhile && !signal.aborted) {
        if (performance.now() > until) {
          const text = 'no create was sent while the file with the targets was invalid';
          violations.push({ invariant: 'configuration', kind: 'stuck', text });
          break;
        }
        await delay(lookEveryMs);
      }
      writeFile();
    },
    async settle(signal) {
      revoked.clear();
      applyRevocations();
      for (const target of targets) add(target);
      const hasAll = (names: ReadonlySet<string>) => names.size === targets.length;
      while (!isConfigured(hasAll) && !signal.aborted) await delay(lookEveryMs);
      // Otherwise, targets that were unusable for long are checked a minute later.
      for (const replica of replicas) replica.process().signal('SIGHUP');
    },
  };
}
