import { isDeepStrictEqual } from 'node:util';
import { isObject, type PolicyDocument, textsOf } from './policy-document.ts';

/** A statement that is to be in a policy. */
export interface NewStatement extends Record<string, unknown> {
  Sid: string;
  Condition?: Record<string, Record<string, unknown>>;
}

const version = '2012-10-17';

/**
 * A policy with all its statements and ours. A statement that differs from ours only in the accounts and
 * log groups of its condition gets ours, too. Any other one is kept as it is, and if it has our Sid, ours gets
 * another.
 */
export function mergeStatements(
  policy: PolicyDocument | undefined,
  ours: readonly NewStatement[],
): object {
  const merged: unknown[] = policy?.statements.map(({ members }) => members) ?? [];
  for (const statement of ours) {
    const at = merged.findIndex((one) => isSameButSources(one, statement));
    if (at === -1) merged.push({ ...statement, Sid: freeSid(statement.Sid, merged) });
    else merged[at] = withSources(merged[at] as NewStatement, statement);
  }
  return { ...(policy?.json ?? {}), Version: policy?.json.Version ?? version, Statement: merged };
}

const sources = [
  ['StringEquals', 'aws:SourceAccount'],
  ['ArnLike', 'aws:SourceArn'],
] as const;

function isSameButSources(one: unknown, ours: NewStatement): boolean {
  if (!isObject(one)) return false;
  return isDeepStrictEqual(withoutSources(one), withoutSources(ours));
}

function withoutSources(statement: Record<string, unknown>): unknown {
  const copy = structuredClone(statement);
  const { Condition } = copy;
  for (const [operator, key] of sources) {
    const wanted = isObject(Condition) ? Condition[operator] : undefined;
    if (isObject(wanted) && key in wanted) wanted[key] = null;
  }
  return copy;
}

function withSources(existing: NewStatement, ours: NewStatement): NewStatement {
  const merged = structuredClone(existing);
  for (const [operator, key] of sources) {
    const wanted = merged.Condition?.[operator];
    if (!wanted) continue;
    const all = [...textsOf(wanted[key]), ...textsOf(ours.Condition?.[operator]?.[key])];
    wanted[key] = [...new Set(all)];
  }
  return merged;
}

/** A Sid that no statement has: AWS refuses a policy with the same one twice. */
function freeSid(sid: string, statements: readonly unknown[]): string {
  const taken = new Set(statements.map((one) => (isObject(one) ? one.Sid : undefined)));
  let free = sid;
  for (let number = 2; taken.has(free); number += 1) free = `${sid}${number}`;
  return free;
}
