import { type CloudWatchLogs, makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { type Aws, openAws } from '#aws/regions/open-aws.ts';
import { longTimeouts } from '../aws-timeouts.ts';
import { region } from '../world.ts';

type Options = Partial<Parameters<typeof openAws>[0]>;

/** Opens AWS in real time. Use it with `using`. */
export function openTestAws(options: Options = {}): Aws {
  return openAws({
    timeouts: longTimeouts,
    now: Date.now,
    elapsed: () => performance.now(),
    ...options,
  });
}

/** Opens CloudWatch Logs of one target without a role. Use it with `using`. */
export function openLogs(options: Options = {}, name = region): CloudWatchLogs & Disposable {
  const aws = openTestAws(options);
  const logs = makeCloudWatchLogs({ region: aws.region(name), credentials: undefined });
  return { ...logs, [Symbol.dispose]: () => aws[Symbol.dispose]() };
}
