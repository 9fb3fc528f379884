import { afterAll, beforeAll, describe } from '@jest/globals';
import type { EventLog } from '../index.js';
import { describeAppending } from './appending.spec.js';
import { createHarness } from './harness.spec.js';
import { describeReading } from './reading.spec.js';
import { describeSubscribing } from './subscribing.spec.js';

/**
 * What every driver of the port must do, run against each (memory, and both clients on a real broker): a function and not a tier of its
 * own, so that a driver is one line. What needs processes or brokers that die stands in `../driver`:
 * `kill.int.spec.ts` (nothing acknowledged is lost with its process), `failover.fault.spec.ts` (an acknowledgement means replicas; a
 * broker restarts while records linger), `mixed.int.spec.ts` (both drivers in one group, one key in one partition),
 * `appender.unit.spec.ts` and the drivers' producers (the broker has forgotten a producer).
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
