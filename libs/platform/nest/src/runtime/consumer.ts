import type { BatchMiddleware } from '@centralita/event-log';
import { consumerActionOf } from '@centralita/event-store';
import { describeError, type Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import type { Health } from './health.js';

/** Above this age of the last poll this member takes no part in its group any more: three session timeouts. */
const POLL_AGE_LIMIT_MS = 90_000;

/**
 * Ready while the last poll is recent, or while the first one may still come. `lastPollAt` is null until there is a subscription. Joining
 * takes as long as the session of a member that died; a process that serves people does not keep them waiting for it.
 */
export const watchPolls = (health: Health, lastPollAt: () => number | null, now: () => number = Date.now): void => {
  const since = now();
  health.add('consumer', () => {
    const age = now() - (lastPollAt() ?? since);
    return age > POLL_AGE_LIMIT_MS ? `no poll for ${Math.round(age / 1000)} s` : null;
  });
};

/** Measures every batch around the middleware that applies it, and says which failures will not pass by themselves. */
export const measureBatches =
  (metrics: Metrics, logger: Logger, middleware: BatchMiddleware): BatchMiddleware =>
  async (batch, handle, ignored) => {
    const stop = metrics.handlerSeconds.startTimer({ topic: batch.topic });
    try {
      await middleware(batch, handle, ignored);
      metrics.consumedRecords.inc({ topic: batch.topic }, batch.records.length);
      const now = Date.now();
      // The broker's clock may be ahead of ours.
      for (const { timestamp } of batch.records)
        metrics.projectionDelay.observe({ topic: batch.topic }, Math.max(0, (now - Number(timestamp)) / 1000));
    } catch (error) {
      const action = consumerActionOf(error);
      if (action === 'retry') metrics.retries.inc({ topic: batch.topic });
      else
        logger.fatal(
          { err: describeError(error), topic: batch.topic, partition: batch.partition, action },
          'a batch cannot be applied',
        );
      throw error;
    } finally {
      stop();
    }
  };
