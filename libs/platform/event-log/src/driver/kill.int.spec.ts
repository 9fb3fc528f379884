import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assertNoneLeft, createTestTopics, ProcessHarness, testBrokers, until } from '@centralita/testing-engines';
import { LogDrivers, openEventLog } from '../open.js';
import type { EventLog, StoredRecord } from '../port.js';

describe.each(LogDrivers)('a process that appends over %s', (driver) => {
  let log: EventLog;
  beforeAll(async () => {
    log = await openEventLog({ driver, brokers: testBrokers(), clientId: 'kill' });
  });
  const processes: ProcessHarness[] = [];
  afterAll(async () => {
    await Promise.all(processes.filter((one) => one.running()).map((one) => one.kill()));
    assertNoneLeft(processes);
    await log.close();
  });

  it('takes nothing with it that was acknowledged when it is killed', async () => {
    const { topic } = await createTestTopics(['topic'], 3);
    const appending = await ProcessHarness.start({
      name: `appending-${driver}`,
      script: fileURLToPath(new URL('./appending-process.spec.ts', import.meta.url)),
      args: [driver, testBrokers().join(','), topic],
    });
    processes.push(appending);
    const acked = () => appending.lines.filter((line) => line.startsWith('acked'));
    await until(() => acked().length > 300, { timeoutMs: 40_000, describe: () => appending.lines.slice(-5).join('\n') });
    await appending.kill();
    const records: StoredRecord[] = [];
    const ranges = [...(await log.admin.endOffsets(topic))].map(([partition, to]) => ({ topic, partition, from: 0n, to }));
    await log.read(ranges, async (some) => void records.push(...some));
    const present = new Set(records.map(({ key, value }) => `acked ${String(key)} ${String(value)}`));
    expect(acked().filter((line) => !present.has(line))).toEqual([]);
    // Nothing stands twice or out of order: one producer has written all of it.
    for (const own of Map.groupBy(records, ({ key }) => String(key)).values())
      expect(own.map(({ value }) => Number(String(value)))).toEqual(Array.from({ length: own.length }, (_, n) => n));
  });
});
