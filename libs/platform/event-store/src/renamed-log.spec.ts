import type { EventLog, TopicPartition } from '@centralita/event-log';

/**
 * The port with topics of its own on a shared broker. A relay closes when it meets events of its service that its database does not
 * know, and on a shared topic those of the next spec are just that.
 */
export const renamedLog = (log: EventLog, names: Readonly<Record<string, string>>): EventLog => {
  const back = Object.fromEntries(Object.entries(names).map(([name, real]) => [real, name]));
  const real = (name: string): string => names[name] ?? name;
  const original = <T extends TopicPartition>(where: T): T => ({ ...where, topic: back[where.topic] ?? where.topic });
  return {
    close: () => log.close(),
    append: (records) => log.append(records.map((record) => ({ ...record, topic: real(record.topic) }))),
    subscribe: (options) =>
      log.subscribe({
        ...options,
        topics: options.topics.map(real),
        onBatch: (batch) => options.onBatch({ ...original(batch), records: batch.records.map(original) }),
        startAt: async (partitions) => {
          const start = await options.startAt(partitions.map(original));
          return new Map(
            [...start].map(([where, offset]) => [where.replace(/^(.*):/, (_, topic: string) => `${real(topic)}:`), offset]),
          );
        },
      }),
    read: (ranges, onRecords) =>
      log.read(
        ranges.map((range) => ({ ...range, topic: real(range.topic) })),
        (records) => onRecords(records.map(original)),
      ),
    lastRecord: async (topic, partition, matching, lookBack) => {
      const record = await log.lastRecord(real(topic), partition, matching, lookBack);
      return record && original(record);
    },
    admin: {
      clusterId: () => log.admin.clusterId(),
      createTopics: (specs) => log.admin.createTopics(specs.map((spec) => ({ ...spec, name: real(spec.name) }))),
      describeTopics: async (topics) =>
        (await log.admin.describeTopics(topics.map(real))).map((topic) => ({ ...topic, name: back[topic.name] ?? topic.name })),
      topicIds: async (topics) =>
        new Map([...(await log.admin.topicIds(topics.map(real)))].map(([topic, id]) => [back[topic] ?? topic, id])),
      endOffsets: (topic) => log.admin.endOffsets(real(topic)),
      beginningOffsets: (topic) => log.admin.beginningOffsets(real(topic)),
      committedOffsets: (group, topic) => log.admin.committedOffsets(group, real(topic)),
    },
  };
};
