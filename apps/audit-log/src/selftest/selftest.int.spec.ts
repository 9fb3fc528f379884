import { randomUUID } from 'node:crypto';
import { PLATFORM_TENANT } from '@centralita/event-store';
import { until } from '@centralita/testing-engines';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Source, startHarness, type Harness } from '../support.spec.js';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

it('a self-test comes from the log into the table, and out as a metric: the newest, whatever comes after it', async () => {
  const platform = new Source(harness.log, PLATFORM_TENANT);
  const told = async (): Promise<number> => {
    const text = await harness.service.metrics.registry.metrics();
    return Number(/^selftest_projected_timestamp_seconds\{.*\} (\S+)$/m.exec(text)?.[1] ?? NaN);
  };
  const run = (at: string) =>
    platform.send('operations.events.v1', randomUUID(), 'selftest.ran.v1', { runId: randomUUID(), principal: 'selftest', at });
  const [older, newer] = ['2026-11-23T10:00:00.123Z', '2026-11-23T10:00:05.456Z'];
  expect(await told()).toBe(0);

  await run(older);
  await until(async () => (await told()) === Date.parse(older) / 1000);
  await run(newer);
  await until(async () => (await told()) === Date.parse(newer) / 1000);

  // what was appended earlier and comes later changes nothing, nor does any other operation
  await run(older);
  await platform.send('operations.events.v1', randomUUID(), 'key.rotated.v1', {
    service: 'audit-log',
    purpose: 'checkpoint',
    kid: 'k1',
    at: newer,
  });
  const position = async (): Promise<number> => {
    const { rows } = await harness.admin.query<{ next: string }>(
      `select sum(next_offset) as next from consumer_offset where topic = 'operations.events.v1'`,
    );
    return Number(rows[0]?.next);
  };
  await until(async () => (await position()) === 4);
  const { rows } = await harness.admin.query<{ at: Date }>('select ran_at as at from selftest');
  expect(rows).toEqual([{ at: new Date(newer) }]);
});
