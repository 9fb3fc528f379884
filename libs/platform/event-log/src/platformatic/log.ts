import { PlatformError } from '@centralita/contracts';
import { Appender } from '../driver/appender.js';
import { PATIENCE, type DriverOptions } from '../driver/options.js';
import { Reader } from '../driver/reader.js';
import type { EventLog, LogRecord, Subscription, SubscribeOptions } from '../port.js';
import { tracedSend } from '../tracing.js';
import { PlatformaticAdmin } from './admin.js';
import { Directory } from './directory.js';
import { IdempotentProducer, PRODUCE_MS } from './producer.js';
import { fetcher } from './reader.js';
import { PlatformaticSubscription } from './subscription.js';
import { Wire } from './wire.js';

const REQUEST_MS = 15_000;

/** The port over @platformatic/kafka. Connects when first used. */
export const openPlatformaticLog = (options: DriverOptions): EventLog => {
  const directory = new Directory(options);
  const wire = new Wire(options, REQUEST_MS);
  const tries = options.retries ?? PATIENCE.tries;
  const admin = new PlatformaticAdmin(directory, wire, tries);
  const reader = new Reader({ boundsOf: (topic) => admin.boundsOf(topic), fetch: fetcher(directory, wire), tries });
  const appender = new Appender({
    createProducer: () =>
      new IdempotentProducer({
        directory,
        wire: new Wire(options, PRODUCE_MS),
        compression: options.compression,
        logger: options.logger,
        tries,
      }),
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
      const subscription = new PlatformaticSubscription({
        directory,
        client: options,
        boundsOf: (topic) => admin.boundsOf(topic),
        logger: options.logger,
        metrics: options.metrics,
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
      await wire.close();
      await directory.close();
    },
  };
};
