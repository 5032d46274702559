import { randomUUID } from 'node:crypto';
import { partitionOf } from '../iam/partitions.ts';

/** A topic. The name of a FIFO topic ends with `.fifo`. */
export interface Topic {
  arn: string;
  isFifo: boolean;
  /** The messages of a FIFO topic, by deduplication id. */
  recent: Map<string, StoredMessage>;
  /** How many messages a FIFO topic has taken. */
  messages: number;
}

/** A message that a topic has taken. */
export interface StoredMessage {
  messageId: string;
  sequenceNumber: string | undefined;
  at: number;
}

/** The topics of all accounts and Regions. */
export interface Topics {
  add(topic: { accountId: string; region: string; name: string }): Topic;
  find(arn: string): Topic | undefined;
}

/** Makes an empty set of topics. */
export function makeTopics(): Topics {
  const topics = new Map<string, Topic>();
  return {
    add({ accountId, region, name }) {
      const arn = `arn:${partitionOf(region).name}:sns:${region}:${accountId}:${name}`;
      const topic = { arn, isFifo: name.endsWith('.fifo'), recent: new Map(), messages: 0 };
      topics.set(arn, topic);
      return topic;
    },
    find: (arn) => topics.get(arn),
  };
}

// FIFO topics do not deliver a second message with the same deduplication id within five minutes (documentation).
const deduplicationMs = 5 * 60_000;

/** Stores a message. Returns whether it is new: a FIFO topic knows the deduplication ids of five minutes. */
export function storeMessage(
  topic: Topic,
  now: number,
  deduplicationId: string | undefined,
): StoredMessage & { isNew: boolean } {
  const known = deduplicationId === undefined ? undefined : topic.recent.get(deduplicationId);
  if (known && now - known.at < deduplicationMs) return { ...known, isNew: false };
  topic.messages += 1;
  // Sequence numbers have 20 digits (documentation).
  const sequenceNumber = topic.isFifo ? String(topic.messages).padStart(20, '0') : undefined;
  const message = { messageId: randomUUID(), sequenceNumber, at: now };
  if (deduplicationId !== undefined) topic.recent.set(deduplicationId, message);
  return { ...message, isNew: true };
}
