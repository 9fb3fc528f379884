import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { schemaUri } from '@centralita/contracts';
import { createMemoryLog, topicSpecs, type MemoryLog } from '@centralita/event-log';
import { createLogger, createMetrics } from '@centralita/platform-nest';
import { startExporter, type Exporter } from './exporter.js';
import { groupTopics } from './groups.js';
import { LagMeter, topicDifferences } from './measure.js';
import { NewestEvents } from './newest-events.js';

const repository = join(import.meta.dirname, '../../../../..');
const SUBJECT = '0190c1f2-0000-7000-8000-000000000001';

type Change = (topic: (typeof topicSpecs)[number]) => (typeof topicSpecs)[number];
const platformLog = (change: Change = (topic) => topic): MemoryLog => createMemoryLog({ topics: topicSpecs.map(change) });

const verified = (type: 'replay.verified.v1' | 'ledger.verified.v1', equal: boolean): Buffer =>
  Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      id: '0190c1f2-0000-7000-8000-0000000000aa',
      source: '/centralita/billing',
      type,
      time: '2026-01-01T00:00:00.000Z',
      subject: SUBJECT,
      datacontenttype: 'application/json',
      dataschema: schemaUri(type),
      tenantid: SUBJECT,
      recordedtime: '2026-01-01T00:00:00.000Z',
      correlationid: SUBJECT,
      causationid: null,
      data: {
        runId: SUBJECT,
        logDigest: 'a'.repeat(64),
        stateDigest: 'b'.repeat(64),
        equal,
        records: '1',
        verifiedAt: '2026-01-01T00:00:00.000Z',
      },
    }),
  );

describe('groupTopics', () => {
  it('is what the services read, as the chart has it from their code', () => {
    const processes = JSON.parse(
      readFileSync(join(repository, 'deploy/charts/centralita/files/processes.json'), 'utf8'),
    ) as Record<string, { readonly group?: string; readonly reads: readonly string[] }>;
    const read = Object.values(processes).flatMap(({ group, reads }) => (group ? [[group, [...reads].sort()]] : []));
    expect(Object.fromEntries(Object.entries(groupTopics).map(([group, topics]) => [group, [...topics].sort()]))).toEqual(
      Object.fromEntries(read),
    );
  });
});

describe(LagMeter.name, () => {
  it('tells of a group that nobody runs what it has not applied, and for how long it did not get on', async () => {
    const log = platformLog();
    const metrics = createMetrics({ service: 'lag-exporter', defaults: false });
    let now = 0;
    const sut = new LagMeter(
      metrics,
      () => ({ seconds: (lags) => (lags.some(({ next, end }) => end > next) ? now / 1000 : 0) }),
      () => now,
    );
    await sut.measure(log);
    await log.append(
      [1, 2, 3].map((each) => ({ topic: 'conversation.events.v1', key: SUBJECT, value: Buffer.from(String(each)) })),
    );
    now = 90_000;
    await sut.measure(log);
    const text = await metrics.registry.metrics();
    expect(text).toContain('projection_lag_events{group="routing",service="lag-exporter"} 3');
    expect(text).toContain('projection_lag_seconds{group="routing",service="lag-exporter"} 90');
    expect(text).toContain('consumer_last_commit_age_seconds{group="routing",service="lag-exporter"} 90');
    expect(text).toContain('replay_progress{group="routing",service="lag-exporter"} 0');
    expect(text).toMatch(
      /kafka_consumer_lag\{group="routing",topic="conversation.events.v1",partition="\d+",service="lag-exporter"\} 3/,
    );
    expect(text).toContain('projection_lag_events{group="billing",service="lag-exporter"} 0');
  });

  it('counts from the position that a group has committed', async () => {
    const log = platformLog();
    const metrics = createMetrics({ service: 'lag-exporter', defaults: false });
    const append = (text: string): Promise<void> =>
      log.append([{ topic: 'conversation.events.v1', key: SUBJECT, value: Buffer.from(text) }]);
    const second = Promise.withResolvers<void>();
    await append('1');
    await log.subscribe({
      groupId: 'routing',
      topics: ['conversation.events.v1'],
      startAt: async () => new Map(),
      onCrash: () => undefined,
      onBatch: async ({ firstOffset }) => (firstOffset > 0n ? second.promise : undefined),
    });
    while ((await log.admin.committedOffsets('routing', 'conversation.events.v1')).size === 0) await setImmediate();
    await append('2');
    await new LagMeter(metrics, () => ({ seconds: () => 0 })).measure(log);
    expect(await metrics.registry.metrics()).toContain('projection_lag_events{group="routing",service="lag-exporter"} 1');
    second.resolve();
    await log.close();
  });
});

describe(topicDifferences.name, () => {
  it('finds nothing in topics as they are made', async () => {
    expect(await topicDifferences(platformLog().admin)).toEqual([]);
  });

  it('names finite retention, other partitions, compaction and what is missing', async () => {
    const log = platformLog((topic) => {
      if (topic.name === 'audit.sequenced.v1') return { ...topic, config: { ...topic.config, 'retention.ms': '604800000' } };
      if (topic.name === 'wa.inbound.v1') return { ...topic, partitions: 24 };
      if (topic.name === 'access.events.v1') return { ...topic, config: { ...topic.config, 'cleanup.policy': 'compact' } };
      return topic;
    });
    expect(await topicDifferences(log.admin)).toEqual(
      expect.arrayContaining([
        { topic: 'audit.sequenced.v1', setting: 'retention.ms' },
        { topic: 'wa.inbound.v1', setting: 'partitions' },
        { topic: 'access.events.v1', setting: 'cleanup.policy' },
      ]),
    );
    expect(await topicDifferences(log.admin)).toHaveLength(3);
    const [first] = topicSpecs;
    if (!first) throw new Error('there are topics');
    const empty = createMemoryLog({ topics: [first] });
    expect(await topicDifferences(empty.admin)).toHaveLength(topicSpecs.length - 1);
  });
});

describe(NewestEvents.name, () => {
  it('knows the last proof of each kind, also one that comes later, and when keys were rotated', async () => {
    const log = platformLog();
    const metrics = createMetrics({ service: 'lag-exporter', defaults: false });
    let now = Date.now();
    const sut = new NewestEvents(metrics, () => now);
    await sut.look(log);
    expect(await metrics.registry.metrics()).not.toMatch(/^replay_proof_age_seconds\{/m);
    await log.append([{ topic: 'billing.events.v1', key: SUBJECT, value: verified('replay.verified.v1', true) }]);
    await log.append([{ topic: 'operations.events.v1', key: SUBJECT, value: verified('ledger.verified.v1', false) }]);
    await log.append([{ topic: 'billing.events.v1', key: SUBJECT, value: Buffer.from('{"type":"usage.recorded.v1"}') }]);
    now += 60_000;
    await sut.look(log);
    const text = await metrics.registry.metrics();
    expect(text).toContain('replay_proof_failed{what="replay",service="lag-exporter"} 0');
    expect(text).toContain('replay_proof_failed{what="verify",service="lag-exporter"} 1');
    expect(text).toMatch(/replay_proof_age_seconds\{what="replay",service="lag-exporter"\} (59|6\d)/);
    // Nothing was rotated yet: it counts from the first event of operations.
    expect(text).toMatch(/key_rotation_age_seconds\{service="lag-exporter"\} (59|6\d)/);
  });
});

describe(startExporter.name, () => {
  let exporter: Exporter | undefined;
  let folder = '';
  afterEach(async () => {
    await exporter?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('serves what it measures, and probes', async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-exporter-'));
    const log = platformLog();
    await log.append([{ topic: 'wa.inbound.v1', key: SUBJECT, value: Buffer.from('1') }]);
    const logger = createLogger({ service: 'lag-exporter', level: 'silent' });
    exporter = await startExporter({ KAFKA_BROKERS: '127.0.0.1:1', METRICS_PORT: '0', ARCHIVE_DIR: folder }, { log, logger });
    const at = `http://127.0.0.1:${exporter.port}`;
    const scrape = async (): Promise<string> => (await fetch(`${at}/metrics`)).text();
    let text = await scrape();
    for (let tries = 0; tries < 100 && !text.includes('archive_lag_seconds{'); tries += 1) text = await scrape();
    expect(text).toContain('projection_lag_events{group="billing",service="lag-exporter"} 1');
    expect(text).toMatch(/lag_sample_age_seconds\{service="lag-exporter"\} 0/);
    expect(text).toMatch(/archive_lag_seconds\{service="lag-exporter"\} \d/);
    expect(text).not.toMatch(/^topic_mismatch\{/m);
    expect((await fetch(`${at}/health/ready`)).status).toBe(200);
    expect((await fetch(`${at}/health/startup`)).status).toBe(200);
  });

  it('ends when what it measures has ended: a client that is closed in the middle of a question asks it again', async () => {
    const answer = Promise.withResolvers<Map<number, bigint>>();
    let asked = false;
    const real = platformLog();
    const endOffsets = (): Promise<Map<number, bigint>> => {
      asked = true;
      return answer.promise;
    };
    const log = Object.assign(Object.create(real) as MemoryLog, { admin: { ...real.admin, endOffsets } });
    const logger = createLogger({ service: 'lag-exporter', level: 'silent' });
    const sut = await startExporter({ KAFKA_BROKERS: '127.0.0.1:1', METRICS_PORT: '0' }, { log, logger });
    while (!asked) await setImmediate();
    let closed = false;
    const closing = sut.close().then(() => (closed = true));
    const answers = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${sut.port}/health/live`).then(
        () => true,
        () => false,
      );
    while (await answers()) await setImmediate();
    expect(closed).toBe(false);
    answer.resolve(new Map());
    await closing;
  });

  it('says what is wrong with its settings', async () => {
    await expect(startExporter({ METRICS_PORT: 'x' })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  });
});
