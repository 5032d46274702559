import type { Scheduler } from '../control/clock.ts';
import { denialMessage, findDenial } from '../iam/permissions.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import { awsError } from '../wire/aws-error.ts';
import type { Form, QueryOutcome } from '../wire/xml/query.ts';
import { storeMessage, type Topic, type Topics } from './topics.ts';

/** The state that an operation of SNS may read or change. */
export interface SnsContext {
  caller: Caller;
  topics: Topics;
  clock: Scheduler;
  settings: Settings;
}

const maxMessageBytes = 262_144;

/**
 * Publish: to a topic of the Region. Phone numbers, mobile endpoints and subscriptions are not emulated. The
 * codes are documented; the messages are quoted in public reports.
 */
export function publish(form: Form, context: SnsContext): QueryOutcome {
  const { Message: message = '', Subject: subject } = form;
  const topicArn = form.TopicArn ?? form.TargetArn ?? '';
  const { MessageGroupId, MessageDeduplicationId } = form;
  if (topicArn === '') {
    throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter');
  }
  const attributes = readAttributes(form);
  if (message === '') throw invalidParameter('Empty message');
  if (Buffer.byteLength(message) > maxMessageBytes) throw invalidParameter('Message too long');
  if (subject !== undefined && !/^[ -~]{1,100}$/.test(subject)) throw invalidParameter('Subject');
  const topic = findTopic(topicArn, context);
  if (topic.isFifo) refuseUnordered(MessageGroupId, MessageDeduplicationId);
  const now = context.clock.now();
  const stored = storeMessage(topic, now, topic.isFifo ? MessageDeduplicationId : undefined);
  const { messageId, sequenceNumber } = stored;
  return {
    result: { MessageId: messageId, SequenceNumber: sequenceNumber },
    ...(stored.isNew && {
      effect: { kind: 'message-published', topicArn, messageId, message, attributes },
    }),
  };
}

/** @throws InvalidParameter, AuthorizationError or NotFound */
function findTopic(topicArn: string, { caller, topics, settings }: SnsContext): Topic {
  const parts = topicArn.split(':');
  if (parts.length < 6) {
    const reason = `An ARN must have at least 6 elements, not ${parts.length}`;
    throw invalidParameter(`TopicArn Reason: ${reason}`);
  }
  if (parts[2] !== 'sns' || parts[3] !== caller.region) throw invalidParameter('TopicArn');
  const denial = findDenial({ action: 'sns:Publish', resource: topicArn }, caller, settings);
  if (denial) {
    const attempt = { action: 'SNS:Publish', resource: topicArn };
    throw awsError('AuthorizationError', denialMessage(attempt, caller, denial), 403);
  }
  const topic = topics.find(topicArn);
  if (!topic) throw awsError('NotFound', 'Topic does not exist', 404);
  return topic;
}

function refuseUnordered(groupId: string | undefined, deduplicationId: string | undefined): void {
  if (groupId === undefined) {
    throw invalidParameter('The MessageGroupId parameter is required for FIFO topics');
  }
  if (deduplicationId === undefined) {
    throw invalidParameter(
      'The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    );
  }
}

/** Reads the message attributes of a form: `MessageAttributes.entry.1.Name` and so on. */
function readAttributes(form: Form): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (let index = 1; ; index += 1) {
    const entry = `MessageAttributes.entry.${index}`;
    const name = form[`${entry}.Name`];
    if (name === undefined) return attributes;
    const type = form[`${entry}.Value.DataType`];
    const value = form[`${entry}.Value.StringValue`] ?? form[`${entry}.Value.BinaryValue`];
    if (!type) {
      const lack = 'must contain non-empty message attribute type.';
      throw awsError('ParameterValueInvalid', `The message attribute '${name}' ${lack}`);
    }
    if (!value) {
      const lack = `must contain non-empty message attribute value for message attribute type '${type}'.`;
      throw awsError('ParameterValueInvalid', `The message attribute '${name}' ${lack}`);
    }
    attributes[name] = value;
  }
}

const invalidParameter = (what: string) =>
  awsError('InvalidParameter', `Invalid parameter: ${what}`);
