import { Connection, describeProducersV0, parseBroker } from '@platformatic/kafka';
import type { StartContext } from '@centralita/tool-start';

/** What the broker remembers of a producer in one partition. */
export type KnownProducer = {
  readonly partition: number;
  readonly id: bigint;
  readonly epoch: number;
  readonly sequence: number;
};

/** Asks the broker, which must lead all of these partitions, whose sequence numbers it remembers there. */
export const knownProducers = async (
  context: StartContext,
  topic: string,
  partitions: readonly number[],
): Promise<readonly KnownProducer[]> => {
  const { host, port } = parseBroker(context.brokers[0] ?? '');
  const connection = new Connection('faults');
  connection.on('error', () => undefined);
  try {
    await connection.connect(host, port);
    const { topics } = await describeProducersV0.api.async(connection, [{ name: topic, partitionIndexes: [...partitions] }]);
    return (topics[0]?.partitions ?? []).flatMap(({ partitionIndex, activeProducers }) =>
      activeProducers.map(({ producerId, producerEpoch, lastSequence }) => ({
        partition: partitionIndex,
        id: producerId,
        epoch: producerEpoch,
        sequence: lastSequence,
      })),
    );
  } finally {
    await connection.close();
  }
};
