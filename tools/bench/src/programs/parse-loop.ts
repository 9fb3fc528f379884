// The baseline of P3: reads every record of wa.inbound.v1 with kafkajs as its documentation shows, parses it, counts ids.
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const expected = Number(process.env['RECORDS']);
const consumer = new Kafka({ clientId: 'bench-parse', brokers, logLevel: logLevel.ERROR }).consumer({ groupId: randomUUID() });

const ids = new Set<string>();
await consumer.connect();
await consumer.subscribe({ topic: 'wa.inbound.v1', fromBeginning: true });
await new Promise<void>((resolve, reject) => {
  consumer
    .run({
      partitionsConsumedConcurrently: 4,
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) {
          const { id } = JSON.parse(value?.toString('utf8') ?? '') as { id: string };
          ids.add(id);
        }
        if (ids.size >= expected) resolve();
      },
    })
    .catch(reject);
});
// Written at once: leaving the group in order takes seconds that no reading needs.
process.stdout.write(JSON.stringify({ ids: ids.size }), () => process.exit(0));
