import { openReloadedValue, type ReloadedValueOptions } from '#files/reloaded-value.ts';
import { configError } from '#problems/config-error.ts';
import type { Log } from '#telemetry/log.ts';
import type { Principal } from '../../principal.ts';
import type { CedarRequest } from './cedar-request.ts';
import { type Cedar, parsePolicies } from './parse-policies.ts';
import { makeParsedSets } from './parsed-sets.ts';
import { type Files, type PolicyFile, readPolicyFiles } from './policy-files.ts';
import { makePolicySets, type PolicySet } from './policy-sets.ts';

/** The verdict of the policies. With an error, the action is refused. */
interface Verdict {
  isPermitted: boolean;
  /** Ids of the policies that made the decision, in alphabetical order. */
  policies: readonly string[];
  errors: readonly string[];
}

/** The current policies. */
export interface Policies extends AsyncDisposable {
  /** Grows with each change. */
  version(): number;
  isEmpty(): boolean;
  evaluate(principal: Principal, request: CedarRequest): Verdict;
  /**
   * The same for a caller that is only tested, with the set of all policies. The groups of such a caller are in the
   * request, so each test could need another set to parse.
   */
  test(request: CedarRequest): Verdict;
  /** Whether any policy for the caller depends on this circumstance or on the `logGroupName`. */
  dependsOn(principal: Principal, aspect: string): boolean;
  /** Whether the policies permit a request in some context. It takes ten times as long as `evaluate`. */
  mayPermitInContext(principal: Principal, request: CedarRequest): boolean;
  /** Whether any policy for the caller may permit this action: see `PolicySet`. */
  mayPermit(principal: Principal, ...asked: Parameters<PolicySet['mayPermit']>): boolean;
}

/** What policies are opened with. */
export interface PoliciesOptions extends Pick<ReloadedValueOptions<never>, 'sleep'> {
  directory: string;
  files: Files;
  /** Makes a name that is unique in this process: Cedar stores policy sets by name. */
  newId: () => string;
  log: Log;
}

const noPolicyLeft =
  'it no longer contains a policy. To refuse everything, write: forbid(principal, action, resource);';

const refusal: Verdict = { isPermitted: false, policies: [], errors: [] };

/** No policies: every action is refused. */
export const noPolicies: Policies = {
  version: () => 0,
  isEmpty: () => true,
  evaluate: () => refusal,
  test: () => refusal,
  dependsOn: () => false,
  mayPermitInContext: () => false,
  mayPermit: () => false,
  async [Symbol.asyncDispose]() {},
};

/**
 * Opens the policies of POLICY_DIR. They are loaded again when they change.
 * @throws an error named ConfigError that names file and line
 */
export async function openPolicies(options: PoliciesOptions): Promise<Policies> {
  const { directory, files, newId, sleep, log } = options;
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs'); // 25 ms, only if POLICY_DIR is set
  const parsedSets = makeParsedSets(cedar, newId());
  let version = 0;

  const toConfigError = (error: Error) =>
    configError(`POLICY_DIR is ${JSON.stringify(directory)}: ${error.message}`);

  function load(text: string) {
    const { byId, warnings } = parsePolicies(cedar, JSON.parse(text) as PolicyFile[]);
    for (const warning of warnings) log.warn({}, `POLICY_DIR: ${warning}`);
    if (byId.size === 0) {
      // Probably an unfinished deployment. Without policies, every waiting slice would fail.
      if (version > 0) throw new Error(noPolicyLeft);
      log.error(
        { directory },
        'POLICY_DIR has no policy; every request is refused, and no slice starts',
      );
    }
    version += 1;
    const sets = makePolicySets(cedar, parsedSets, { version, byId });
    return { version, isEmpty: byId.size === 0, sets };
  }

  const loaded = await openReloadedValue({
    what: 'policies',
    isSettlingAwaited: true, // half of a set may permit too much, and fails slices if it permits too little
    read: () =>
      readPolicyFiles(files, directory).then(JSON.stringify, (error) => {
        throw toConfigError(error);
      }),
    load(text) {
      try {
        return load(text);
      } catch (error) {
        throw toConfigError(error as Error);
      }
    },
    sleep,
    log,
  });

  return {
    version: () => loaded.current().version,
    isEmpty: () => loaded.current().isEmpty,
    evaluate(principal, request) {
      const { isEmpty, sets } = loaded.current();
      return isEmpty ? refusal : evaluate(cedar, request, sets.of(principal));
    },
    test(request) {
      const { isEmpty, sets } = loaded.current();
      return isEmpty ? refusal : evaluate(cedar, request, sets.all);
    },
    dependsOn: (principal, aspect) => loaded.current().sets.of(principal).dependsOn(aspect),
    mayPermitInContext(principal, request) {
      const { isEmpty, sets } = loaded.current();
      return !isEmpty && mayPermitInContext(cedar, request, sets.of(principal));
    },
    mayPermit: (principal, ...asked) =>
      loaded
        .current()
        .sets.of(principal)
        .mayPermit(...asked),
    [Symbol.asyncDispose]: () => loaded[Symbol.asyncDispose](),
  };
}

function evaluate(cedar: Cedar, request: CedarRequest, set: Pick<PolicySet, 'name'>): Verdict {
  try {
    const answer = cedar.statefulIsAuthorized({ ...request, preparsedPolicySetId: set.name() });
    if (answer.type === 'failure') return failed(answer.errors.map(({ message }) => message));
    const { decision, diagnostics } = answer.response;
    const errors = diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`);
    if (errors.length > 0) return failed(errors);
    return { ...refusal, isPermitted: decision === 'allow', policies: diagnostics.reason.sort() };
  } catch (error) {
    return failed([(error as Error).message]); // not valid JSON, such as a lone surrogate
  }
}

/** Evaluates a request whose context is unknown. Only a refusal in every context is one. */
function mayPermitInContext(cedar: Cedar, request: CedarRequest, set: PolicySet): boolean {
  try {
    const answer = cedar.isAuthorizedPartial({
      ...request,
      context: unknownContext,
      policies: { staticPolicies: set.texts() },
    });
    return answer.type === 'residuals' && answer.response.decision !== 'deny';
  } catch {
    return false; // not valid JSON, such as a lone surrogate
  }
}

const unknownContext = Object.fromEntries(
  ['destination', 'destinationPrefix', 'from', 'to', 'priority'].map((arg) => [
    arg,
    { __extn: { fn: 'unknown', arg } },
  ]),
);

function failed(errors: string[]): Verdict {
  return { ...refusal, errors };
}
