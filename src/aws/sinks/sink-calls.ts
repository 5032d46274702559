import { gatewayItself } from '#audit/audit.ts';
import { Problem } from '#problems/problem.ts';
import { type RecordCall, resultOfProblem } from '../audited-calls.ts';
import { withDeadline } from '../client/deadline.ts';
import { measureCall } from '../client/measure-call.ts';
import { unexpectedAnswer } from '../client/unexpected-answer.ts';
import { markUnsent } from '../client/unsent-calls.ts';
import { isRefusedForCredentials, toAwsProblem } from '../error-meaning.ts';
import type { ClientPool } from '../regions/client-pool.ts';
import type { AwsRegion } from '../regions/open-aws.ts';
import type { Credentials } from '../sessions/credentials.ts';

/** Where the events of a target are sent to, beside the webhooks of callers. */
export type SinkKind = 'sns' | 'event-bus';
/** The ARNs of the topic and the event bus of a target, if it has them. */
export type SinkArns = Partial<Record<SinkKind, string>>;

/** A message for a topic or an event bus. */
interface SinkMessage {
  /** The same each time that the message is sent. */
  id: string;
  /** The type of its event. */
  type: string;
  /** When the event happened, epoch ms. */
  at: number;
  /** The name of the target, for subscription filters. */
  target: string;
  /** Messages of one group stay in order in a FIFO topic. */
  group: string;
  /** JSON. */
  body: string;
}

/** Calls of SNS and EventBridge in the name of one target. Each is sent once. */
export interface SinkCalls {
  /** @throws Problem: the meaning of AWS's answer */
  publish(topicArn: string, message: SinkMessage): Promise<void>;
  /** @throws Problem: the meaning of AWS's answer, also if AWS has answered 200 and refused the event */
  putEvent(eventBusArn: string, message: SinkMessage): Promise<void>;
}

/** The source of our events in EventBridge. */
const source = 'log-export-gateway';

/** Makes the calls of one target. Nothing is loaded before the first one. Each writes one audit entry. */
export function makeSinkCalls(options: {
  region: AwsRegion;
  /** Default: the credentials of the gateway itself. */
  credentials: Credentials | undefined;
  record: RecordCall;
}): SinkCalls {
  const { region, record } = options;
  const { credentials = region.defaultCredentials } = options;
  const holder = options; // identifies this target

  async function call<Client>(
    service: 'SNS' | 'EventBridge',
    operation: string,
    pool: ClientPool<Client>,
    send: (client: Client, signal: AbortSignal) => Promise<{ $metadata: { requestId?: string } }>,
  ): Promise<void> {
    const facts = { service: auditNames[service], operation, principal: gatewayItself };
    try {
      const { $metadata } = await measureCall(`${service}/${operation}`, region, () =>
        markUnsent(() =>
          withDeadline(region.timeouts.readMs, async ({ abortSignal: signal }) =>
            pool.call({ holder, keys: await credentials(), signal }, (client) =>
              send(client, signal),
            ),
          ),
        ),
      );
      record({ ...facts, outcome: 'ok', awsRequestId: $metadata.requestId });
    } catch (error) {
      if (isRefusedForCredentials(error)) credentials({ forceRefresh: true }).catch(() => {});
      const problem = error instanceof Problem ? error : toAwsProblem(service, error);
      record({ ...facts, ...resultOfProblem(problem) });
      throw problem;
    }
  }

  return {
    publish: (TopicArn, { id, type, target, group, body }) =>
      call('SNS', 'Publish', region.sns, async (late, abortSignal) => {
        const { client, sdk } = await late.get();
        const text = (StringValue: string) => ({ DataType: 'String', StringValue });
        const isFifo = TopicArn.endsWith('.fifo');
        const command = new sdk.PublishCommand({
          TopicArn,
          Message: body,
          MessageAttributes: { id: text(id), type: text(type), target: text(target) },
          ...(isFifo && { MessageGroupId: group, MessageDeduplicationId: id }),
        });
        const answer = await client.send(command, { abortSignal });
        if (answer.MessageId === undefined) throw unexpectedAnswer(answer, 'MessageId');
        return answer;
      }),

    putEvent: (EventBusName, { type, at, body }) =>
      call('EventBridge', 'PutEvents', region.eventBridge, async (late, abortSignal) => {
        const { client, sdk } = await late.get();
        const event = { Source: source, DetailType: type, Detail: body, Time: new Date(at) };
        const command = new sdk.PutEventsCommand({ Entries: [{ ...event, EventBusName }] });
        const answer = await client.send(command, { abortSignal });
        if (answer.FailedEntryCount === 0) return answer;
        const [entry] = answer.Entries ?? [];
        throw refusedEvent(entry?.ErrorCode ?? 'unknown', answer.$metadata.requestId);
      }),
  };
}

const auditNames = { SNS: 'sns', EventBridge: 'events' } as const;

function refusedEvent(awsErrorCode: string, awsRequestId: string | undefined): Problem {
  return new Problem('aws-unexpected', `EventBridge has refused the event: ${awsErrorCode}.`, {
    awsErrorCode,
    ...(awsRequestId !== undefined && { awsRequestId }),
  });
}
