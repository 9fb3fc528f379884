import kafkajs from 'kafkajs';
import { PlatformError } from '@centralita/contracts';
import { Appender } from '../driver/appender.js';
import type { DriverOptions } from '../driver/options.js';
import { Reader } from '../driver/reader.js';
import type { EventLog, LogRecord, Subscription, SubscribeOptions } from '../port.js';
import { tracedSend } from '../tracing.js';
import { KafkaAdmin } from './admin.js';
import { openClient, patience } from './client.js';
import { openCluster } from './internals.js';
import { producerOf } from './producer.js';
import { Fetcher } from './reader.js';
import { KafkaSubscription } from './subscription.js';

/** The port over kafkajs. Connects when first used. */
export const openKafkajsLog = (options: DriverOptions): EventLog => {
  const kafka = openClient(options);
  const fetcher = new Fetcher(() => openCluster(kafka));
  const admin = new KafkaAdmin(kafka, (work) => fetcher.withCluster(work));
  const reader = new Reader({
    boundsOf: (topic) => admin.boundsOf(topic),
    fetch: (cursors) => fetcher.fetch(cursors),
  });
  const appender = new Appender({
    createProducer: () =>
      producerOf(
        kafka.producer({
          createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
          idempotent: true,
          maxInFlightRequests: 1,
          allowAutoTopicCreation: false,
          retry: patience(options),
        }),
        options.compression,
      ),
    limitsOf: (topic) => admin.limitsOf(topic),
    logger: options.logger,
    metrics: options.metrics,
  });
  const subscriptions = new Set<Subscription>();
  let closed = false;

  return {
    admin,
    append: (records: readonly LogRecord[]) => tracedSend(records, (stamped) => appender.append(stamped)),
    subscribe: async (subscribe: SubscribeOptions) => {
      if (closed) throw new PlatformError('DRAINING', 'the log is closed');
      for (const topic of subscribe.topics) await admin.limitsOf(topic);
      const subscription = new KafkaSubscription({
        kafka: openClient(options),
        boundsOf: (topic) => admin.boundsOf(topic),
        logger: options.logger,
        metrics: options.metrics,
        retry: patience(options),
        options: subscribe,
      });
      subscriptions.add(subscription);
      await subscription.start();
      return subscription;
    },
    read: (ranges, onRecords) => reader.read(ranges, onRecords),
    lastRecord: (topic, partition, matching, lookBack = 1000) => reader.lastRecord(topic, partition, matching, lookBack),
    close: async () => {
      closed = true;
      // 1. No more effects, 2. no more records, 3. connections: each step may need the next.
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      await appender.close();
      await fetcher.close();
      await admin.close();
    },
  };
};
