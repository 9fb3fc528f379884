import { until } from '@centralita/testing-engines';
import { knownProducers, type KnownProducer } from '../harness/producers.js';
import { PATIENCE_MS, untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

const TOPIC = 'wa.inbound.v1';
const partitions = Array.from({ length: 12 }, (_, partition) => partition);
const place = ({ partition, id, epoch }: KnownProducer): string => `${partition}:${id}:${epoch}`;

/**
 * The broker forgets producers that were silent in a partition for a moment, as it does after a day by default. Who is forgotten must be
 * able to write on, and what he sends again is stored again: only whoever applies it can tell.
 */
export const producerExpiry: Scenario = {
  name: 'producer expiry',
  what: 'the broker forgets every producer after a fifth of a second, and is killed twice while requests are under way',
  customers: 40,
  brokerSettings: { 'producer.id.expiration.ms': '200', 'producer.id.expiration.check.interval.ms': '50' },
  bounded: false,
  faults: async ({ context, kafka }, random, print) => {
    const [node] = kafka.nodes;
    if (!node) throw new Error('there is no broker');
    const seen = new Map<string, KnownProducer>();
    const forgotten = new Map<string, KnownProducer>();
    let written: KnownProducer | undefined;
    // Sampled: a producer was there, was gone, and is there again with later numbers.
    const look = async (): Promise<boolean> => {
      const now = await knownProducers(context, TOPIC, partitions).catch(() => null);
      if (now === null) return false;
      const present = new Set(now.map(place));
      for (const [key, producer] of seen) if (!present.has(key)) forgotten.set(key, producer);
      for (const producer of now) seen.set(place(producer), producer);
      written ??= now.find((producer) => (forgotten.get(place(producer))?.sequence ?? Infinity) < producer.sequence);
      return written !== undefined;
    };
    const wrote = until(look, {
      timeoutMs: PATIENCE_MS,
      describe: () => `a forgotten producer of ${TOPIC} to write again; seen ${seen.size}, forgotten ${forgotten.size}`,
    });
    const before = random.integer(1, 60);
    await Promise.all([wrote, untilEvents(context, 'conversation', before)]);
    print(
      `${forgotten.size} producers were forgotten in a partition, and wrote on there (one up to number ${written?.sequence})`,
    );
    for (const events of [before + random.integer(20, 80), before + random.integer(120, 240)]) {
      await untilEvents(context, 'conversation', events);
      node.signal('SIGKILL');
      await node.exited();
      await node.restart();
      print(`the broker was killed after ${events} events of conversation and is back; it remembers nobody`);
    }
  },
};
