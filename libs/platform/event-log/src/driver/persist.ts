import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../failures.js';
import { toPlatformError } from './errors.js';

/** Some seconds: long enough for stale connections to be noticed and for a partition to get another leader. */
const ATTEMPTS = 8;

/**
 * Tries again what fails in a way that passes: kafkajs gives up at once when a connection that it holds is dead, as after each
 * restart of a broker. Not when it could not connect at all: then its own patience is spent already. A client without any patience
 * needs more tries.
 */
export const persist = async <T>(what: string, work: (attempt: number) => Promise<T>, tries = ATTEMPTS): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      const failure = toPlatformError(error, what);
      const spent = error instanceof Error && error.name === 'KafkaJSNumberOfRetriesExceeded';
      if (!failure.retryable || spent || attempt >= tries) throw failure;
      await sleep(backoffMs(attempt, 50, 1000));
    }
  }
};
