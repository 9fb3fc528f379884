import type { LogRecord } from './history.js';

export const nameOf = ({ topic, partition, offset }: Pick<LogRecord, 'topic' | 'partition' | 'offset'>): string =>
  `${topic}/${partition}/${offset}`;

/** The first record for each name, in the order of the list, which is that of the log within a partition. */
export const firstOf = (records: readonly LogRecord[], name: (record: LogRecord) => string | null): Map<string, LogRecord> => {
  const first = new Map<string, LogRecord>();
  for (const record of records) {
    const of = name(record);
    if (of !== null && !first.has(of)) first.set(of, record);
  }
  return first;
};
