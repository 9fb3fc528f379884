import type { Kafka } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toPlatformError } from '../driver/errors.js';
import { backoffMs } from '../failures.js';

/** A new cluster makes its offsets topic when the first group asks, and a busy one takes its time. */
const PATIENCE_MS = 60_000;

/**
 * Waits until the group has a coordinator. Without one kafkajs gives up joining at once and for good, so a service that starts together
 * with a new cluster would die. Throws LOG_UNAVAILABLE after a minute.
 */
export const waitForCoordinator = async (kafka: Kafka, groupId: string): Promise<void> => {
  const admin = kafka.admin();
  const deadline = Date.now() + PATIENCE_MS;
  await admin.connect();
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        await admin.describeGroups([groupId]);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw toPlatformError(error, 'the group has no coordinator');
        await sleep(backoffMs(attempt, 100, 1000));
      }
    }
  } finally {
    await admin.disconnect();
  }
};
