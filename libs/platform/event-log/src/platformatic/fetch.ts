import { fetchV13, type Broker } from '@platformatic/kafka';
import { partitionKey, type StoredRecord, type TopicPartition } from '../port.js';
import { answerOf, protocolError } from './answers.js';
import type { Directory } from './directory.js';
import { storedRecords } from './records.js';
import type { Wire } from './wire.js';

/** Offset from which a partition is wanted. */
export type Wanted = TopicPartition & { readonly from: bigint };

export type Fetched = TopicPartition & {
  readonly records: readonly StoredRecord[];
  /** Offset at which the next fetch of the partition goes on. */
  readonly next: bigint;
  readonly endOffset: bigint;
  /** Code of the protocol, 0 for none. */
  readonly code: number;
};

export type FetchLimits = { readonly maxWaitMs: number; readonly requestBytes: number };

const READ_COMMITTED = 1;
const PARTITION_BYTES = 1024 * 1024;
/** No fetch session: each request says all that it wants, so nothing of an earlier one can linger. */
const NO_SESSION = { id: 0, epoch: -1 };
const UNKNOWN = -1;

/** One request to one broker, for partitions that the directory knows it leads. Topics go by id: one that was made again is another. */
export const fetchFrom = async (
  { wire, directory }: { wire: Wire; directory: Directory },
  broker: Broker,
  wanted: readonly Wanted[],
  { maxWaitMs, requestBytes }: FetchLimits,
): Promise<Fetched[]> => {
  const names = new Map<string, string>();
  const topics = [...Map.groupBy(wanted, ({ topic }) => topic)].flatMap(([topic, own]) => {
    const info = directory.known(topic);
    if (!info) return [];
    names.set(info.id, topic);
    const partitions = own.map(({ partition, from }) => ({
      partition,
      // A broker that is not the leader any more, or not yet, says so instead of serving an older end.
      currentLeaderEpoch: info.leaders[partition]?.epoch ?? UNKNOWN,
      fetchOffset: from,
      lastFetchedEpoch: UNKNOWN,
      partitionMaxBytes: PARTITION_BYTES,
    }));
    return [{ topicId: info.id, partitions }];
  });
  const { id, epoch } = NO_SESSION;
  const asked = wire.send(broker, fetchV13.api, maxWaitMs, 1, requestBytes, READ_COMMITTED, id, epoch, topics, [], '');
  const { errorCode, responses } = await answerOf(asked);
  if (errorCode !== 0) throw protocolError(errorCode);
  const froms = new Map(wanted.map(({ topic, partition, from }) => [partitionKey(topic, partition), from]));
  return responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap((answer): Fetched[] => {
      const topic = names.get(topicId);
      const partition = answer.partitionIndex;
      const from = topic === undefined ? undefined : froms.get(partitionKey(topic, partition));
      if (topic === undefined || from === undefined) return [];
      const batches = answer.records ?? [];
      const aborted = new Set((answer.abortedTransactions ?? []).map(({ producerId }) => producerId));
      const records = storedRecords({ topic, partition }, batches, from, aborted);
      const last = batches.at(-1);
      const next = last ? last.firstOffset + BigInt(last.lastOffsetDelta) + 1n : from;
      return [
        { topic, partition, records, next: next > from ? next : from, endOffset: answer.highWatermark, code: answer.errorCode },
      ];
    }),
  );
};
