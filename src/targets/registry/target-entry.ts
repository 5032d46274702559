import type { SinkArns } from '#aws/sinks/sink-calls.ts';
import { Problem } from '#problems/problem.ts';
import type { Account } from '../account/open-account.ts';
import {
  configuredAccount,
  type KnownTarget,
  type OpenTarget,
  type TargetSettings,
  type TargetState,
} from '../target.ts';

/** A target with one account and Region. Plain data: there may be ten thousand. */
export interface TargetEntry {
  settings: TargetSettings;
  /** Its place in the configuration. */
  index: number;
  /** Its topic and its event bus. They need no check, so they change without one. */
  sinkArns: SinkArns;
  state: TargetState;
  /** Epoch ms. */
  since: number;
  /** Why it is unusable. */
  problem: Problem | undefined;
  /** The account of its credentials, once STS has confirmed it. */
  confirmedId: string | undefined;
  /** Present once it was checked. */
  account: Account | undefined;
  /** When a refused call last caused a check, by a clock that only goes forward. */
  suspectedAt: number;
  isDraining: boolean;
  /** What callers and the dispatcher use, made at the first use. */
  forCallers: OpenTarget | undefined;
  forDispatcher: OpenTarget | undefined;
}

/** Makes the entry of a target that is not checked yet. */
export function makeEntry(settings: TargetSettings, since: number): TargetEntry {
  return {
    settings,
    index: 0,
    sinkArns: {},
    state: 'unchecked',
    since,
    problem: undefined,
    confirmedId: undefined,
    account: undefined,
    suspectedAt: Number.NEGATIVE_INFINITY,
    isDraining: false,
    forCallers: undefined,
    forDispatcher: undefined,
  };
}

/** What is known of a target. */
export function toKnown(entry: TargetEntry): KnownTarget {
  const { settings, state, since, problem, confirmedId } = entry;
  const { name, region } = settings;
  const isDefault = entry.index === 0;
  const accountId = confirmedId ?? configuredAccount(settings);
  return { name, region, accountId, isDefault, state, since, problem };
}

/** Why nothing is sent for a target; `undefined` when it is ready. */
export function closedBecause({ settings, state, problem }: TargetEntry): Problem | undefined {
  if (state === 'ready') return undefined;
  // A new one for each request: it gets a stack.
  if (problem) return new Problem(problem.slug, problem.detail, problem.members);
  const { name } = settings;
  return new Problem(
    'not-ready',
    `The account of target ${JSON.stringify(name)} is not checked yet.`,
  );
}

/** The problem of a name that no target has. */
export const targetNotFound = () =>
  new Problem(
    'target-not-found',
    'No target with this name exists, or you are not allowed to see it.',
  );

/** Why the queue of a name that no target has any more starts nothing. */
export const targetRemoved = () =>
  new Problem(
    'target-not-found',
    'The target of this job was removed from the configuration. Its waiting slices do not start.',
    {
      remedy:
        'Ask the operator of the service to configure the target again. Or cancel the job with POST /export-jobs/{jobId}/cancel.',
    },
  );

/** Why the queue of a target starts nothing while something runs that it started before it was removed or moved. */
export const targetMoves = () =>
  new Problem(
    'not-ready',
    'The target was removed or moved, and configured again. Waiting slices start after the running one has ended.',
  );
