import type { BatchMiddleware, EventLog, Subscription } from '@centralita/event-log';
import type { Metrics } from '../metrics.js';
import type { Health } from './health.js';

/** Above this age of the last poll this member takes no part in its group any more: three session timeouts. */
const POLL_AGE_LIMIT_MS = 90_000;

/** The same log, telling which subscriptions were made: the transport strategy keeps them to itself. */
export const noteSubscriptions = (log: EventLog, subscriptions: Subscription[]): EventLog => ({
  append: (records) => log.append(records),
  read: (ranges, onRecords) => log.read(ranges, onRecords),
  lastRecord: (topic, partition, matching, lookBack) => log.lastRecord(topic, partition, matching, lookBack),
  admin: log.admin,
  close: () => log.close(),
  subscribe: async (options) => {
    const subscription = await log.subscribe(options);
    subscriptions.push(subscription);
    return subscription;
  },
});

/** Ready while the group's last poll is recent. */
export const watchPolls = (health: Health, subscriptions: readonly Subscription[], now: () => number = Date.now): void =>
  health.add('consumer', () => {
    if (subscriptions.length === 0) return 'not subscribed';
    const oldest = Math.min(...subscriptions.map((subscription) => subscription.lastPollAt()));
    const age = now() - oldest;
    return age > POLL_AGE_LIMIT_MS ? `no poll for ${Math.round(age / 1000)} s` : null;
  });

/** Measures every batch around the middleware that applies it. */
export const measureBatches =
  (metrics: Metrics, groupId: string, middleware: BatchMiddleware): BatchMiddleware =>
  async (batch, handle, ignored) => {
    const stop = metrics.handlerSeconds.startTimer({ topic: batch.topic });
    try {
      await middleware(batch, handle, ignored);
    } catch (error) {
      metrics.retries.inc({ topic: batch.topic });
      throw error;
    } finally {
      stop();
    }
    const lag = batch.endOffset - batch.lastOffset - 1n;
    metrics.consumerLag.set({ group: groupId, topic: batch.topic, partition: batch.partition }, Number(lag));
  };
