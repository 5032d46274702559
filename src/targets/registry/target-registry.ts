import type { Problem } from '#problems/problem.ts';
import { configuredAccount, sinkArnsOf, type TargetSettings, type TargetState } from '../target.ts';
import { makeEntry, type TargetEntry } from './target-entry.ts';

/** What the registry tells, and whom. */
export interface TargetRegistryOptions {
  now: () => number;
  /** Called after a target has changed its state. */
  onState: (entry: TargetEntry) => void;
  /** Called after a target was found unusable again, for the same reason. */
  onStillUnusable: (entry: TargetEntry) => void;
  /** Called when a target is to be checked. */
  onDue: (entry: TargetEntry) => void;
  onRemoved: (name: string) => void;
}

/** The configured targets, and those that drain. */
export interface TargetRegistry {
  /** The target with this name. Default: the first one. */
  find(name: string | undefined): TargetEntry | undefined;
  /** In the order of the configuration. */
  all(): IteratorObject<TargetEntry>;
  findDraining(name: string): TargetEntry | undefined;
  allDraining(): IteratorObject<TargetEntry>;
  /** The ready target with the confirmed account and the Region of this one. It may be this one. */
  inSlotOf(entry: TargetEntry): TargetEntry | undefined;
  count(state: TargetState): number;
  setState(entry: TargetEntry, state: TargetState, problem?: Problem): void;
  configure(settings: readonly TargetSettings[]): void;
  release(name: string): void;
  onChange(act: (name: string) => void): void;
  /** Refuses all calls that wait. */
  close(): void;
}

/** Makes a registry without targets. */
export function makeTargetRegistry(options: TargetRegistryOptions): TargetRegistry {
  const { now, onState, onStillUnusable, onDue, onRemoved } = options;
  const listeners: ((name: string) => void)[] = [];
  const counts: Record<TargetState, number> = { unchecked: 0, ready: 0, unusable: 0 };
  let configured = new Map<string, TargetEntry>();
  const draining = new Map<string, TargetEntry>();
  const slots = new Map<string, TargetEntry>(); // the ready target of each account and Region

  function announce(name: string): void {
    for (const act of listeners) act(name);
  }

  function leaveSlot(entry: TargetEntry): void {
    if (slots.get(slotOf(entry)) === entry) slots.delete(slotOf(entry));
  }

  function setState(entry: TargetEntry, state: TargetState, problem?: Problem): void {
    const isSame = entry.state === state && entry.problem?.detail === problem?.detail;
    entry.problem = problem; // with the latest cause
    if (isSame && problem) onStillUnusable(entry);
    if (state === 'ready') slots.set(slotOf(entry), entry);
    else leaveSlot(entry);
    if (isSame) return;
    counts[entry.state] -= 1;
    counts[state] += 1;
    Object.assign(entry, { state, since: now() });
    onState(entry);
    announce(entry.settings.name);
  }

  function configure(settings: readonly TargetSettings[]): void {
    const removed = configured;
    configured = new Map();
    const changed: string[] = [];
    for (const [index, each] of settings.entries()) {
      const { name } = each;
      const before = removed.get(name);
      removed.delete(name);
      const entry = before && isSamePlace(before.settings, each) ? before : replace(before, each);
      const hasNewRole = !isSameRole(entry.settings, each);
      const isSame =
        entry === before && !hasNewRole && before.settings.accountId === each.accountId;
      // A check in flight counts only for the settings that it began with.
      if (!isSame) entry.settings = each;
      entry.index = index;
      entry.sinkArns = sinkArnsOf(each);
      configured.set(name, entry);
      if (hasNewRole) setState(entry, 'unchecked');
      if (entry !== before) changed.push(name);
      // Another target may have been the reason why it is misconfigured.
      if (!isSame || entry.problem?.slug === 'target-misconfigured') onDue(entry);
    }
    for (const [name, entry] of removed) {
      onRemoved(name);
      drain(entry);
      changed.push(name);
    }
    for (const name of changed) announce(name);
  }

  /**
   * The entry of a target that is new or has moved: the one that drains if it has moved back. It has its slot again
   * at once. If another target has the slot now, it continues to drain, and a check of a new entry decides.
   */
  function replace(before: TargetEntry | undefined, settings: TargetSettings): TargetEntry {
    const { name } = settings;
    const old = draining.get(name);
    if (before) drain(before);
    const isBack = old && isSamePlace(old.settings, settings) && !slots.has(slotOf(old));
    if (isBack) {
      draining.delete(name);
      slots.set(slotOf(old), old);
    }
    const entry = isBack ? old : makeEntry(settings, now());
    entry.isDraining = false;
    counts[entry.state] += 1;
    return entry;
  }

  /** Keeps a target until nothing of it runs. Only the first one of a name was used by the dispatcher. */
  function drain(entry: TargetEntry): void {
    const { name } = entry.settings;
    counts[entry.state] -= 1;
    leaveSlot(entry);
    entry.isDraining = true;
    const isUsed = entry.state === 'ready' && listeners.length > 0 && !draining.has(name);
    if (isUsed) draining.set(name, entry);
    else entry.account?.[Symbol.dispose]();
  }

  return {
    find(name) {
      const [first] = configured.values();
      return name === undefined ? first : configured.get(name);
    },
    all: () => configured.values(),
    findDraining: (name) => draining.get(name),
    allDraining: () => draining.values(),
    inSlotOf: (entry) => slots.get(slotOf(entry)),
    count: (state) => counts[state],
    setState,
    configure,
    release(name) {
      const entry = draining.get(name);
      if (!entry) return;
      draining.delete(name);
      entry.account?.[Symbol.dispose]();
      announce(name); // its successor may be worked now
    },
    onChange: (act) => void listeners.push(act),
    close() {
      for (const { account } of [...configured.values(), ...draining.values()]) {
        account?.[Symbol.dispose]();
      }
    },
  };
}

const slotOf = ({ settings, confirmedId }: TargetEntry) => `${confirmedId}/${settings.region}`;

function isSamePlace(one: TargetSettings, other: TargetSettings): boolean {
  return one.region === other.region && configuredAccount(one) === configuredAccount(other);
}

function isSameRole(one: TargetSettings, other: TargetSettings): boolean {
  return one.roleArn === other.roleArn && one.externalId === other.externalId;
}
