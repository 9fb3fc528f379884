import { PlatformError } from '@centralita/contracts';
import { partitionKey, type EventLog, type RecordBatch, type StoredRecord, type SubscribeOptions } from '@centralita/event-log';
import type { Database } from '../database.js';
import { prepared } from '../prepared.js';
import { toBigInt, type SystemTx } from '../types.js';

/** Which log the offsets belong to. On another cluster, or in a topic that was made again, the same numbers mean other records. */
export type LogIdentity = { readonly clusterId: string; readonly topicId: string };

const IDENTITY_MAX_AGE_MS = 30_000;

/** Asks the log who it is, and again every half minute: a topic can be made again while we run. */
export const identityOf = (log: EventLog): ((topic: string) => Promise<LogIdentity>) => {
  const known = new Map<string, { readonly at: number; readonly identity: Promise<LogIdentity> }>();
  const ask = async (topic: string): Promise<LogIdentity> => {
    const [clusterId, ids] = await Promise.all([log.admin.clusterId(), log.admin.topicIds([topic])]);
    const topicId = ids.get(topic);
    if (topicId === undefined) throw new PlatformError('TOPIC_UNKNOWN', `topic ${topic} has no id`, { topic });
    return { clusterId, topicId };
  };
  return async (topic) => {
    const entry = known.get(topic);
    if (entry && performance.now() - entry.at < IDENTITY_MAX_AGE_MS) return entry.identity;
    const identity = ask(topic);
    known.set(topic, { at: performance.now(), identity });
    identity.catch(() => known.delete(topic));
    return identity;
  };
};

/**
 * Next offset per partition, from the group's own table: the broker's committed offsets are for lag tools only. New partitions start
 * at the beginning and get their row here, which also says which topics the group reads.
 */
export const startAt =
  (db: Database, groupId: string): SubscribeOptions['startAt'] =>
  (partitions) =>
    db.system(async (tx) => {
      const topics = partitions.map(({ topic }) => topic);
      const numbers = partitions.map(({ partition }) => partition);
      await tx.execute(
        `insert into consumer_offset (group_id, topic, partition, next_offset)
         select $1, topic, partition, 0 from unnest($2::text[], $3::int[]) as u(topic, partition) order by topic, partition
         on conflict do nothing`,
        [groupId, topics, numbers],
      );
      const rows = await tx.query<{ topic: string; partition: number; next_offset: string }>(
        `select topic, partition, next_offset from consumer_offset
         join unnest($2::text[], $3::int[]) as u(topic, partition) using (topic, partition) where group_id = $1`,
        [groupId, topics, numbers],
      );
      return new Map(rows.map((row) => [partitionKey(row.topic, row.partition), toBigInt(row.next_offset)]));
    });

/**
 * Before a process does anything: every position that its database has stored must lie on the log that it was given. Otherwise the log
 * has lost its tail, or is another one, and what would be published or acknowledged now would be missing from the right one. Looks at all
 * groups of the database, also for a process that consumes nothing. Throws LOG_BEHIND_STORE or TOPIC_MISMATCH.
 */
export const requireLogHoldsPositions = async (db: Database, log: Pick<EventLog, 'admin'>): Promise<void> => {
  const rows = await db.system((tx) =>
    tx.query<{
      group_id: string;
      topic: string;
      partition: number;
      next_offset: string;
      cluster_id: string | null;
      topic_id: string | null;
    }>('select group_id, topic, partition, next_offset, cluster_id, topic_id from consumer_offset where next_offset > 0'),
  );
  // A topic that is gone is for its subscription to name; one that nobody reads any more is allowed to be.
  const topics = (await log.admin.describeTopics([...new Set(rows.map(({ topic }) => topic))])).map(({ name }) => name);
  if (topics.length === 0) return;
  const [clusterId, ids, ends] = await Promise.all([
    log.admin.clusterId(),
    log.admin.topicIds(topics),
    Promise.all(topics.map(async (topic) => [topic, await log.admin.endOffsets(topic)] as const)).then((all) => new Map(all)),
  ]);
  const there = rows.filter(({ topic }) => ends.has(topic));
  const placesOf = (wrong: typeof rows): string[] =>
    wrong.map(({ group_id, topic, partition, next_offset }) => `${group_id} ${topic}/${partition} at ${next_offset}`);
  const foreign = there.filter(
    ({ topic, cluster_id, topic_id }) =>
      (cluster_id ?? clusterId) !== clusterId || (topic_id ?? ids.get(topic)) !== ids.get(topic),
  );
  if (foreign.length > 0)
    throw new PlatformError('TOPIC_MISMATCH', 'the stored offsets belong to another log', { positions: placesOf(foreign) });
  const beyond = there.filter(
    ({ topic, partition, next_offset }) => toBigInt(next_offset) > (ends.get(topic)?.get(partition) ?? 0n),
  );
  if (beyond.length > 0)
    throw new PlatformError('LOG_BEHIND_STORE', 'the log ends before what was applied', { positions: placesOf(beyond) });
};

const LOCK_POSITION = prepared(
  `select next_offset, cluster_id, topic_id from consumer_offset where group_id = $1 and topic = $2 and partition = $3 for update`,
);

/**
 * Locks the position of the batch's partition and gives the records that come next. What lies before the position is already
 * applied (a zombie, or a batch from before a rebalance) and is left out. Everything else that does not continue the position stops
 * the partition: OFFSET_OUT_OF_RANGE for a hole, TOPIC_MISMATCH for another log, LOG_BEHIND_STORE for a log that has lost records.
 */
export const continuePosition = async (
  tx: SystemTx,
  groupId: string,
  batch: RecordBatch,
  identity: LogIdentity,
  log: EventLog,
): Promise<readonly StoredRecord[]> => {
  const { topic, partition } = batch;
  const lock = (): Promise<{ next_offset: string; cluster_id: string | null; topic_id: string | null }[]> =>
    tx.query(LOCK_POSITION, [groupId, topic, partition]);
  let [row] = await lock();
  if (!row) {
    await tx.execute(
      `insert into consumer_offset (group_id, topic, partition, next_offset) values ($1, $2, $3, 0) on conflict do nothing`,
      [groupId, topic, partition],
    );
    [row] = await lock();
  }
  const next = toBigInt(row?.next_offset);
  const details = { groupId, topic, partition, next: next.toString(), first: batch.firstOffset.toString() };
  if ((row?.cluster_id ?? identity.clusterId) !== identity.clusterId || (row?.topic_id ?? identity.topicId) !== identity.topicId)
    throw new PlatformError('TOPIC_MISMATCH', 'the stored offsets belong to another log', details);
  if (batch.firstOffset > next) throw new PlatformError('OFFSET_OUT_OF_RANGE', 'records are missing before this batch', details);
  if (batch.endOffset < next) {
    // The batch may only be old: ask for the end of today.
    const end = (await log.admin.endOffsets(topic)).get(partition) ?? 0n;
    if (end < next)
      throw new PlatformError('LOG_BEHIND_STORE', 'the log ends before what was applied', { ...details, end: end.toString() });
  }
  return batch.records.filter((record) => record.offset >= next);
};

const ADVANCE = prepared(
  `update consumer_offset set next_offset = $4, cluster_id = $5, topic_id = $6, applied_at = clock_timestamp()
   where group_id = $1 and topic = $2 and partition = $3`,
);

/** In the transaction of the effects: the position and what it stands for become visible together. */
export const advancePosition = (tx: SystemTx, groupId: string, last: StoredRecord, identity: LogIdentity): void => {
  tx.post(ADVANCE, [groupId, last.topic, last.partition, last.offset + 1n, identity.clusterId, identity.topicId]);
};

export type Lag = {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the record that the group applies next. */
  readonly next: bigint;
  /** Offset that the next record of the partition gets. */
  readonly end: bigint;
  /** Records that the group has still to apply. */
  readonly records: bigint;
  /** Since the group last applied something of the partition, or was first given it. */
  readonly idleSeconds: number;
};

/**
 * How far a group is behind, per partition that it has ever been given. From the stored positions and not from a running consumer: one
 * that has stopped is behind all the same.
 */
export const consumerLag = async (db: Database, log: Pick<EventLog, 'admin'>, groupId: string): Promise<Lag[]> => {
  const rows = await db.system((tx) =>
    tx.query<{ topic: string; partition: number; next_offset: string; idle: string }>(
      `select topic, partition, next_offset, extract(epoch from clock_timestamp() - applied_at) as idle
       from consumer_offset where group_id = $1 order by topic, partition`,
      [groupId],
    ),
  );
  const topics = [...new Set(rows.map((row) => row.topic))];
  const ends = new Map(await Promise.all(topics.map(async (topic) => [topic, await log.admin.endOffsets(topic)] as const)));
  return rows.map(({ topic, partition, next_offset, idle }) => {
    const next = toBigInt(next_offset);
    const end = ends.get(topic)?.get(partition) ?? next;
    // A leader that has just changed may tell an end from before what was applied.
    const records = end > next ? end - next : 0n;
    return { topic, partition, next, end, records, idleSeconds: Math.max(0, Number(idle)) };
  });
};
