/**
 * What one inbound message costs on the machine of docs/performance.md, with everything that follows from it there (P2: half of the messages are
 * read and answered, each answer has three statuses). A spec compares these figures with the page.
 */
export const measured = {
  /** Processor time of a process, in microseconds a message. */
  processes: { webhook: 870, sender: 1_670, conversation: 2_400, routing: 1_220, billing: 1_250, 'audit-log': 1_400 },
  /** The same of the engines. */
  postgres: 7_450,
  kafka: 1_180,
  /** Inbound messages a second that the whole path took on `cores` cores, engines and load on them too. */
  wholePath: { perSecond: 104, cores: 2, loadMicroseconds: 850 },
  /** Records that one process of billing applies in a second when it rebuilds its database from the log. */
  replayPerSecond: 22_200,
  /** Records on all topics a message, their bytes before replication, and what the databases grow by. */
  records: 8.51,
  logBytes: 12_600,
  databaseBytes: 20_500,
} as const;
