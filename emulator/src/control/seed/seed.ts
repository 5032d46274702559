import type { KmsKey } from '../../kms/keys.ts';
import type { ExportOrder } from '../../logs/exports/export-tasks.ts';
import type { BucketSettings } from '../../s3/configurations.ts';

/** Account and Region of the seeded data. Default: the option `accountId`, and us-east-1. */
export interface SeedPlace {
  accountId?: string | undefined;
  region?: string | undefined;
}

/**
 * Adds data directly, without AWS's checks and quotas. Times are epoch ms. Each function throws an error
 * for a wrong, missing or unknown member.
 */
export interface Seed {
  logGroup(
    group: SeedPlace & {
      logGroupName: string;
      createdAt?: number;
      logGroupClass?: string;
      retentionInDays?: number;
      /** Name of the account policy that sets `retentionInDays`. */
      retentionPolicyName?: string;
      isDeletionProtected?: boolean;
    },
  ): void;
  /**
   * Appends events of any age. Creates the group and the stream if they do not exist. Default of `ingestedAt`: the
   * timestamp of the event, but not in the future.
   */
  logEvents(
    events: SeedPlace & {
      logGroupName: string;
      logStreamName: string;
      events: readonly { timestamp: number; message: string; ingestedAt?: number }[];
    },
  ): void;
  /** Adds a bucket. Default policy: one that permits exports; null means no policy. */
  bucket(bucket: SeedPlace & BucketSettings & { bucket: string; policy?: string | null }): void;
  /**
   * Adds a key of KMS and returns its ARN. Default policy: that of KMS, by which the account decides;
   * CloudWatch Logs may not use such a key.
   */
  key(
    key: SeedPlace & {
      keyId?: string;
      /** Begins with `alias/`. */
      alias?: string;
      state?: KmsKey['state'];
      policy?: string;
    },
  ): string;
  /** Adds a topic of SNS and returns its ARN. A name that ends with `.fifo` is that of a FIFO topic. */
  topic(topic: SeedPlace & { name: string }): string;
  /**
   * Adds COMPLETED tasks and returns their ids, oldest first. The newest finished `spacingMs` (default
   * 1000) ago, the others `spacingMs` apart. Listings keep the order in which tasks were added, so add
   * these first. `taskId` is for a count of 1.
   */
  finishedTasks(
    tasks: SeedPlace & {
      count: number;
      spacingMs?: number;
      taskId?: string;
      order?: Partial<ExportOrder>;
    },
  ): string[];
  /**
   * Starts a task of another client, even above the limit, and returns its id. It holds a slot for
   * `durationMs`.
   */
  foreignTask(
    task: SeedPlace & { durationMs: number; taskId?: string; order?: Partial<ExportOrder> },
  ): string;
  /** Ends a task FAILED now. @throws an error unless it is PENDING or RUNNING */
  taskFailure(task: { taskId: string }): void;
}
