import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureTopics, openEventLog, topicSpecs, type EventLog } from '@centralita/event-log';
import { createLogger } from '@centralita/platform-nest';
import { until } from '@centralita/testing-engines';
import { startExporter, type Exporter } from './exporter.js';
import { groupTopics } from './groups.js';

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
/** A machine that runs everything at once answers the admin's questions slowly. */
const patient = { timeoutMs: 45_000 };
const SUBJECT = '0190c1f2-0000-7000-8000-000000000001';

describe('the exporter on a broker', () => {
  let log: EventLog;
  let exporter: Exporter;
  const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${exporter.port}/metrics`)).text();
  const records = (text: string, group: string): number =>
    Number(new RegExp(`^projection_lag_events\\{group="${group}",service="lag-exporter"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? NaN);

  beforeAll(async () => {
    log = await openEventLog({ brokers, clientId: 'exporter-test' });
    await ensureTopics(log.admin, { replicationFactor: 1, minInsyncReplicas: 1 }, topicSpecs);
    exporter = await startExporter(
      { KAFKA_BROKERS: brokers.join(','), METRICS_PORT: '0' },
      { lagMs: 200, logger: createLogger({ service: 'lag-exporter', level: 'silent' }) },
    );
  });
  afterAll(async () => {
    await exporter.close();
    await log.close();
  });

  it('tells the lag of groups that nobody runs, and of one from what it has committed when it is gone', async () => {
    const before = await until(async () => {
      const text = await scrape();
      return Object.keys(groupTopics).every((group) => !Number.isNaN(records(text, group))) ? text : null;
    }, patient);
    await log.append([1, 2, 3].map((each) => ({ topic: 'routing.events.v1', key: SUBJECT, value: Buffer.from(String(each)) })));
    const grown = await until(async () => {
      const text = await scrape();
      return records(text, 'audit-log') >= records(before, 'audit-log') + 3 ? text : null;
    }, patient);
    expect(records(grown, 'conversation')).toBeGreaterThanOrEqual(3);

    const done = Promise.withResolvers<void>();
    const topics = groupTopics['audit-log'] ?? [];
    const subscription = await log.subscribe({
      groupId: 'audit-log',
      topics: [...topics],
      startAt: async () => new Map(),
      onCrash: done.reject,
      onBatch: async ({ topic }) => (topic === 'routing.events.v1' ? done.resolve() : undefined),
    });
    await done.promise;
    await subscription.close();
    await until(async () => records(await scrape(), 'audit-log') < records(grown, 'audit-log'), patient);
    expect(records(await scrape(), 'conversation')).toBeGreaterThanOrEqual(3);
  });

  it('finds topics as they must be, and is ready', async () => {
    const text = await until(async () => {
      const all = await scrape();
      return all.includes('# HELP topic_mismatch') ? all : null;
    });
    expect(text).not.toMatch(/^topic_mismatch\{/m);
    expect((await fetch(`http://127.0.0.1:${exporter.port}/health/ready`)).status).toBe(200);
  });
});
