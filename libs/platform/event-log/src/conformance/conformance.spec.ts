import { afterAll, beforeAll, describe } from '@jest/globals';
import type { EventLog } from '../index.js';
import { describeAppending } from './appending.spec.js';
import { createHarness } from './harness.spec.js';
import { describeReading } from './reading.spec.js';
import { describeSubscribing } from './subscribing.spec.js';

/**
 * What every driver of the port must do, run against each (memory, kafkajs on a real broker): a function and not a tier of its own,
 * so that a second driver is one line. What needs brokers that die stands in the fault tier.
 */
export const describeEventLogConformance = (name: string, makeLog: () => Promise<EventLog> | EventLog): void => {
  describe(`the event log port: ${name}`, () => {
    let log: EventLog;
    beforeAll(async () => {
      log = await makeLog();
    });
    const harness = createHarness(() => log);
    describeAppending(harness);
    describeReading(harness);
    describeSubscribing(harness);
    afterAll(() => harness.close());
  });
};
