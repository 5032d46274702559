import { type Static, Type } from '@sinclair/typebox';

import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';

/** A target as configured: an AWS account and Region, and the role to use there. */
export interface TargetSettings {
  name: string;
  region: string;
  /** The account of the credentials. Default: that of `roleArn`, or the one STS returns. */
  accountId?: string;
  /** The role to assume. Default: the SDK's default credential chain is used directly. */
  roleArn?: string;
  externalId?: string;
}

/** A target as callers see it, without its role. */
export type Target = Static<typeof Target>;
export const Target = Type.Object(
  {
    name: Type.String({ description: 'Name of the target. Use it as the `target` parameter.' }),
    region: Type.String({ description: 'AWS Region of the target.' }),
    accountId: Type.String({
      description:
        'Id of the AWS account. AWS STS has confirmed that the credentials belong to it.',
    }),
    isDefault: Type.Boolean({
      description:
        'Whether this is the first configured target. It is the default of the `target` parameter, except in GET /export-jobs.',
    }),
  },
  { title: 'Target', description: 'An AWS account and Region in which exports run.' },
);

/** A target whose account is checked, ready for calls. */
export interface OpenTarget extends Target {
  logs: CloudWatchLogs;
  /**
   * Whether the target was removed, or moved to another account or Region, after it was opened. Then
   * nothing new is started; what runs is seen through.
   */
  isDraining(): boolean;
}

/** The targets of this gateway. */
export interface Targets extends AsyncDisposable {
  /**
   * Returns the target with this name. Default: the first one.
   * @throws Problem target-not-found, or not-ready until its account is checked
   */
  find(name: string | undefined): OpenTarget;
  /** Returns the targets whose account is checked, in the order of the configuration. */
  list(): Target[];
  /** Resolves when every account is checked. Rejects if one is not the configured account. */
  whenChecked: Promise<void>;
  /**
   * Returns the target whose slot is to be worked. Its calls to AWS have priority over those of callers.
   * `undefined` for an unknown name, and while the target is unchecked or unusable; then its check comes
   * first. A target that drains is returned until it is released.
   */
  forDispatcher(name: string): OpenTarget | undefined;
  /** Calls back with the name of each target that becomes ready, changes, or begins to drain. */
  onChange(act: (name: string) => void): void;
  /** Ends the draining of a target: nothing of it runs any more. No effect on other targets. */
  release(name: string): void;
  /** Returns the names of the targets whose account is not checked yet. */
  unchecked(): string[];
}
