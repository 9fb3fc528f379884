import { PlatformError, Topics } from '@centralita/contracts';
import type { LogAdmin, TopicSpec } from './port.js';

const kept = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  // A broker refuses records of a producer whose clock is an hour ahead; the events carry their own times.
  'message.timestamp.type': 'LogAppendTime',
} as const;

/** The platform's topics as a laptop makes them. `ensureTopics` raises replication for production. */
export const topicSpecs: TopicSpec[] = Topics.map((name) => ({ name, partitions: 12, replicationFactor: 1, config: kept }));

export type EnsureTopicsOptions = {
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  /** Chosen once, at installation: afterwards another number is refused. @default 12 */
  readonly partitions?: number;
};

/**
 * Creates the topics that are missing and checks those that exist. Throws TOPIC_MISMATCH, naming every difference, when one has
 * another partition count (keys would move, and with them their order), would forget records, or acknowledges on fewer replicas.
 * Nothing that exists is ever changed here: growth is a new topic generation.
 */
export const ensureTopics = async (
  admin: LogAdmin,
  options: EnsureTopicsOptions,
  specs: readonly TopicSpec[] = topicSpecs,
): Promise<void> => {
  const wanted = specs.map((spec) => ({
    ...spec,
    partitions: options.partitions ?? spec.partitions,
    replicationFactor: options.replicationFactor,
    config: { ...spec.config, 'min.insync.replicas': String(options.minInsyncReplicas) },
  }));
  await admin.createTopics(wanted);
  const found = new Map((await admin.describeTopics(wanted.map((spec) => spec.name))).map((topic) => [topic.name, topic]));
  const differences = wanted.flatMap((spec) => {
    const topic = found.get(spec.name);
    if (!topic) return [`${spec.name} does not exist`];
    const partitions =
      topic.partitions === spec.partitions ? [] : [`${spec.name} has ${topic.partitions} partitions, not ${spec.partitions}`];
    const settings = Object.entries(spec.config)
      .filter(([name, value]) =>
        name === 'min.insync.replicas' ? !(Number(topic.config[name]) >= Number(value)) : topic.config[name] !== value,
      )
      .map(([name, value]) => `${spec.name} has ${name}=${topic.config[name] ?? 'unset'}, not ${value}`);
    return [...partitions, ...settings];
  });
  if (differences.length > 0)
    throw new PlatformError('TOPIC_MISMATCH', `existing topics differ and are never changed: ${differences.join('; ')}`, {
      differences,
    });
};

/** Without these a topic forgets, and with another count its keys are elsewhere. What a topic is made with besides may differ. */
const keeps = ['cleanup.policy', 'retention.ms', 'retention.bytes'] as const;

/**
 * What is wrong with topics for a process that reads and writes them, each in a few words; it only looks, and needs no right but to
 * describe them. `partitions` is the number chosen at installation; without it they must agree with each other.
 */
export const topicProblems = async (
  admin: Pick<LogAdmin, 'describeTopics'>,
  names: readonly string[],
  partitions?: number,
): Promise<string[]> => {
  const found = new Map((await admin.describeTopics(names)).map((topic) => [topic.name, topic]));
  const expected = partitions ?? Math.max(0, ...[...found.values()].map((topic) => topic.partitions));
  return names.flatMap((name) => {
    const topic = found.get(name);
    if (!topic) return [`${name} does not exist`];
    const others = partitions === undefined ? ' as others have' : '';
    const count = topic.partitions === expected ? [] : [`${name} has ${topic.partitions} partitions, not ${expected}${others}`];
    const forgets = keeps
      .filter((setting) => topic.config[setting] !== kept[setting])
      .map((setting) => `${name} has ${setting}=${topic.config[setting] ?? 'unset'}, not ${kept[setting]}`);
    return [...count, ...forgets];
  });
};
