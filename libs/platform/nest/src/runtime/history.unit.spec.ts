import { describe, expect, it, jest } from '@jest/globals';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import type { Database } from '@centralita/event-store';
import { createLogger } from '../logger.js';
import { createMetrics } from '../metrics.js';
import { Health } from './health.js';
import { untilHistoryAgrees } from './history.js';

const topic = 'wa.inbound.v1';

/** A database whose positions are these: the one statement that is asked is answered, and nothing else is there. */
const storing = (next: bigint, of: { cluster_id: string | null; topic_id: string | null }): Database => {
  const rows = [{ group_id: 'g', topic, partition: 0, next_offset: next.toString(), ...of }];
  return {
    system: (work: (tx: unknown) => Promise<unknown>) => work({ query: async () => rows }),
  } as unknown as Database;
};
const identityOf = async (log: MemoryLog): Promise<{ cluster_id: string; topic_id: string | null }> => ({
  cluster_id: await log.admin.clusterId(),
  topic_id: (await log.admin.topicIds([topic])).get(topic) ?? null,
});

const started = (db: Database, log: MemoryLog, opens: boolean | null = true, sureAfterMs = 0) => {
  const [health, metrics, stop] = [
    new Health(),
    createMetrics({ service: 'conversation', defaults: false }),
    new AbortController(),
  ];
  health.started();
  const relay = { start: jest.fn(), opened: opens === null ? new Promise<boolean>(() => undefined) : Promise.resolve(opens) };
  const logger = createLogger({ service: 'conversation', level: 'silent' });
  const sut = untilHistoryAgrees({ db, log, relay, health, metrics, logger, signal: stop.signal, sureAfterMs });
  return { sut, health, metrics, relay, stop };
};
const alarms = async (metrics: ReturnType<typeof createMetrics>): Promise<unknown[]> =>
  (await metrics.alarms.get()).values.map(({ labels, value }) => ({ ...labels, value }));
const untilClosed = async (health: Health): Promise<unknown> => {
  for (;;) {
    const { failing } = await health.ready();
    if ('history' in failing) return failing['history'];
    await new Promise((resolve) => setImmediate(resolve));
  }
};

describe('before a process does anything', () => {
  it('its relay runs when every stored position is on the log', async () => {
    const log = createMemoryLog();
    const { sut, health, relay, metrics } = started(storing(0n, await identityOf(log)), log);
    await sut;
    expect(relay.start).toHaveBeenCalledTimes(1);
    expect([(await health.ready()).status, await alarms(metrics)]).toEqual(['ok', []]);
  });

  it('it stays closed on another log, with an alarm, until it is stopped; nothing is published', async () => {
    const log = createMemoryLog();
    const mine = await identityOf(log);
    for (const other of [
      { ...mine, cluster_id: 'another' },
      { ...mine, topic_id: 'made again' },
    ]) {
      const { sut, health, relay, metrics, stop } = started(storing(0n, other), log);
      expect(await untilClosed(health)).toBe('TOPIC_MISMATCH');
      expect(await alarms(metrics)).toEqual([{ part: 'log', code: 'TOPIC_MISMATCH', value: 1 }]);
      stop.abort();
      await expect(sut).rejects.toMatchObject({ code: 'DRAINING' });
      expect(relay.start).not.toHaveBeenCalled();
    }
  });

  it('it stays closed on a log that has lost its tail, and goes on when only a leader was late', async () => {
    const log = createMemoryLog({ topics: [{ name: topic, partitions: 1, replicationFactor: 1 }] });
    const mine = await identityOf(log);
    const lost = started(storing(1n, mine), log, true, 0);
    expect(await untilClosed(lost.health)).toBe('LOG_BEHIND_STORE');
    expect(await alarms(lost.metrics)).toEqual([{ part: 'log', code: 'LOG_BEHIND_STORE', value: 1 }]);
    lost.stop.abort();
    await expect(lost.sut).rejects.toMatchObject({ code: 'DRAINING' });

    const late = started(storing(1n, mine), log, true, 60_000);
    await log.append([{ topic, key: 'k', value: null }]);
    await late.sut;
    expect([lost.relay.start.mock.calls.length, late.relay.start.mock.calls.length]).toEqual([0, 1]);
  });

  it('it stays closed when the relay finds that the database does not know what it has published', async () => {
    const log = createMemoryLog();
    const { sut, health, stop } = started(storing(0n, await identityOf(log)), log, false);
    expect(await untilClosed(health)).toBe('STORE_BEHIND_LOG');
    stop.abort();
    await expect(sut).rejects.toMatchObject({ code: 'DRAINING' });
  });

  it('it can be stopped while the log does not answer', async () => {
    const log = createMemoryLog();
    const { sut, stop } = started(storing(0n, await identityOf(log)), log, null);
    stop.abort();
    await expect(sut).rejects.toMatchObject({ code: 'DRAINING' });
  });
});
