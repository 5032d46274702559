import { type Static, Type } from '@sinclair/typebox';

import type { TargetIdentity } from '#auth/authorization/authorizer.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { SinkArns, SinkCalls, SinkKind } from '#aws/sinks/sink-calls.ts';
import type { Storage } from '#aws/storage/storage.ts';
import { type Problem, ProblemBody } from '#problems/problem.ts';
import { DateTime } from '#time/date-time.ts';

/** A target as configured: an AWS account and Region, and the role to use there. */
export interface TargetSettings {
  name: string;
  region: string;
  /** The account of the credentials. Default: that of `roleArn`, or the one STS returns. */
  accountId?: string;
  /** The role to assume. Default: the SDK's default credential chain is used directly. */
  roleArn?: string;
  externalId?: string;
  /** The topic that gets the events of its jobs and archives. Default: none does. */
  snsTopicArn?: string;
  /** The event bus that gets them. Default: none does. */
  eventBusArn?: string;
}

/** Returns the topic and the event bus of a target. */
export function sinkArnsOf({ snsTopicArn, eventBusArn }: TargetSettings): SinkArns {
  return {
    ...(snsTopicArn !== undefined && { sns: snsTopicArn }),
    ...(eventBusArn !== undefined && { 'event-bus': eventBusArn }),
  };
}

/** The account that the configuration names, if it does. */
export function configuredAccount({ accountId, roleArn }: TargetSettings): string | undefined {
  return accountId ?? roleArn?.split(':')[4];
}

/** Whether the account of a target is checked, and usable. */
export type TargetState = (typeof targetStates)[number];
/** The states of a target. */
export const targetStates = ['unchecked', 'ready', 'unusable'] as const;

/** The state of a target, in queries and answers. */
export const TargetStateName = Type.Unsafe<TargetState>({
  title: 'TargetState',
  type: 'string',
  enum: targetStates,
  description:
    'State of the target. `unchecked`: AWS STS has not confirmed its account yet. `ready`: exports can run. `unusable`: its account cannot be used, and `problem` has the reason. The service checks an unusable target again, at least once a minute.',
  'x-rule': `one of ${targetStates.join(', ')}`,
});

/** Why nothing is sent for a target, as callers see it. */
const TargetProblem = Type.Object(
  {
    ...Type.Pick(ProblemBody, ['type', 'title']).properties,
    detail: Type.String({ description: 'Explanation of the problem for this target.' }),
    ...Type.Pick(ProblemBody, ['remedy']).properties,
  },
  {
    title: 'TargetProblem',
    description:
      'The reason why nothing is sent for the target. Present when `state` is `unusable`. Requests that need AWS at this target are answered with it.',
  },
);

/** Why no slice in the queue of a target starts, as callers see it. */
export type QueueProblem = Static<typeof QueueProblem>;
export const QueueProblem = Type.Object(
  {
    ...TargetProblem.properties,
    since: Type.Optional(
      DateTime(
        'When the first create after the last accepted one failed with this problem. In a long series of such creates, it can have been earlier. Absent if the target takes no slices.',
      ),
    ),
  },
  {
    title: 'QueueProblem',
    description:
      'The reason why no waiting slice starts at the target. It is the same for the target and for each of its waiting jobs. Present while the target is `unchecked` or `unusable`, and after it was removed. The operator can change the account or Region of the target. Then it is present until the running exports in the old account or Region have ended. Otherwise, it is present if the newest create of the export jobs led to no export task. Problems of a single slice do not count. The slice of that create must still wait or start, or another slice must have been ready before it.',
  },
);

/** A target as callers see it, without its role. */
export type Target = Static<typeof Target>;
export const Target = Type.Object(
  {
    name: Type.String({ description: 'Name of the target. Use it as the `target` parameter.' }),
    region: Type.String({ description: 'AWS Region of the target.' }),
    accountId: Type.Optional(
      Type.String({
        description:
          'Id of the AWS account. If `state` is `ready`, AWS STS has confirmed that the credentials belong to it. Absent if it is not configured and not confirmed yet.',
      }),
    ),
    isDefault: Type.Boolean({
      description:
        'Whether this is the first configured target. It is the default of the `target` parameter, except in GET /export-jobs and GET /archives.',
    }),
    state: TargetStateName,
    since: DateTime('When the state began.'),
    problem: Type.Optional(TargetProblem),
  },
  { title: 'Target', description: 'An AWS account and Region in which exports run.' },
);

/** A target in one of its states. `since` is epoch ms. */
export interface KnownTarget {
  name: string;
  region: string;
  /** The confirmed account, or else the configured one, if there is one. */
  accountId: string | undefined;
  isDefault: boolean;
  state: TargetState;
  since: number;
  /** Why it is unusable. */
  problem: Problem | undefined;
}

/** What policies see of a target. They see an unknown account as empty text. */
export function identityOf({ name, region, accountId = '' }: KnownTarget): TargetIdentity {
  return { name, region, accountId };
}

/**
 * What policies see of the target with this name in whatever state. A name that no target has looks like
 * a target of an unknown account, so that a refusal does not tell which names exist.
 */
export function identityNamed(targets: Pick<Targets, 'look'>, name?: string): TargetIdentity {
  const known = targets.look(name);
  return known ? identityOf(known) : { name: name ?? '', accountId: '', region: '' };
}

/** A target whose account is checked, ready for calls. */
export interface OpenTarget {
  name: string;
  region: string;
  accountId: string;
  /** The role, for policies that name it. No answer may have it. Absent if none is configured. */
  roleArn: string | undefined;
  isDefault: boolean;
  /** Its calls fail with the problem of the target while it is not ready. */
  logs: CloudWatchLogs;
  /** S3 and KMS. Its calls fail in the same way. */
  storage: Storage;
  /** Calls of SNS and EventBridge. They fail in the same way. */
  sinks: SinkCalls;
  /** The topic and the event bus that get its events, by its present settings. */
  sinkArns: SinkArns;
  /**
   * Whether the target was removed, or moved to another account or Region, after it was opened. Then
   * nothing new is started; what runs is seen through.
   */
  isDraining(): boolean;
}

/** The targets of this gateway. */
export interface Targets extends AsyncDisposable {
  /**
   * Returns the target with this name. Default: the first one. Its check comes first if it is unchecked.
   * @throws Problem target-not-found, not-ready until its account is checked, or why it is unusable
   */
  find(name: string | undefined): OpenTarget;
  /** Returns the target with this name in whatever state, if there is one. Default: the first one. */
  look(name: string | undefined): KnownTarget | undefined;
  /** The targets that have a topic or an event bus, by their present settings. */
  listSinks(): { target: string; kinds: SinkKind[] }[];
  /** Why a target starts nothing now: it is removed, moving, unchecked or unusable. */
  whyClosed(name: string): Problem | undefined;
  /** The targets in the order of the configuration, from this index on. */
  list(from?: number): Iterable<KnownTarget>;
  /**
   * Resolves when every target was tried once or ten seconds have passed, and at least one is ready. Rejects
   * if the only target has credentials of another account than the configured one.
   */
  whenReady: Promise<void>;
  /** Why the targets keep the service from being ready; `undefined` once `whenReady` has resolved. */
  whyNotReady(): string | undefined;
  /**
   * Returns the target whose slot is to be worked. Its calls to AWS have priority over those of callers.
   * `undefined` for an unknown name, and while the target is unchecked or unusable; then its check comes
   * first. A target that drains is returned until it is released.
   */
  forDispatcher(name: string): OpenTarget | undefined;
  /** The targets of the dispatcher that drain. */
  listDraining(): OpenTarget[];
  /** Calls back with the name of each target that becomes ready, changes, or begins to drain. */
  onChange(act: (name: string) => void): void;
  /** Ends the draining of a target: nothing of it runs any more. No effect on other targets. */
  release(name: string): void;
  /** Takes over a changed configuration. The settings are valid, and the first one is the default. */
  configure(settings: readonly TargetSettings[]): void;
  /** Checks the unusable targets again at once. */
  recheck(): void;
}
