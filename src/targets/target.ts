import { type Static, Type } from '@sinclair/typebox';

import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';

/** A target as configured: an AWS account and Region, and the role to use there. */
export interface TargetSettings {
  name: string;
  region: string;
  /** The account the credentials must belong to; when absent, that of `roleArn`, or what STS says. */
  accountId?: string;
  /** The role to assume; when absent, the SDK's default chain is used as it is. */
  roleArn?: string;
  externalId?: string;
}

/** A target as callers see it: never its role. */
export type Target = Static<typeof Target>;
export const Target = Type.Object(
  {
    name: Type.String({ description: 'Name of the target. Use it as the `target` parameter.' }),
    region: Type.String({ description: 'AWS Region of the target.' }),
    accountId: Type.String({ description: 'Id of the AWS account, confirmed by STS.' }),
    isDefault: Type.Boolean({
      description: 'Whether operations use this target if the `target` parameter is absent.',
    }),
  },
  { title: 'Target', description: 'An AWS account and Region in which exports run.' },
);

/** A target that is open for calls. */
export interface OpenTarget extends Target {
  logs: CloudWatchLogs;
}

/** The targets of this gateway. */
export interface Targets extends AsyncDisposable {
  /**
   * The target of that name, or the default one.
   * @throws Problem target-not-found, or not-ready until its account is checked
   */
  find(name: string | undefined): OpenTarget;
  /** All whose account has been checked, in the order of the configuration. */
  list(): Target[];
  /** Resolves when every account is checked; rejects if one is not the account configured. */
  whenChecked: Promise<void>;
  /**
   * Calls back with each target as soon as its account is checked. Its calls to AWS go ahead of those
   * of everybody else: it is for the dispatcher.
   */
  forEachChecked(act: (target: OpenTarget) => void): void;
  /** Names of the targets whose account could not be checked yet. */
  unchecked(): string[];
}
