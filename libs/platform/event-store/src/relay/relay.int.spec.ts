import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CloudEvent, decodeEvent, PlatformError } from '@centralita/contracts';
import { createMemoryLog, eventRecord, type EventLog, type LogRecord, type MemoryLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import { EventStore } from '../event-store.js';
import { feed, feedHead } from '../feed.js';
import { fixture, identified, newId, type Fixture } from '../support.spec.js';
import { Relay } from './relay.js';
import type { RelayAlarm, RelayOptions } from './relay-options.js';

const topic = 'conversation.events.v1';
type Seen = { key: string; version: number; id: string };

describe(Relay.name, () => {
  let f: Fixture;
  let relays: Relay[] = [];
  const store = new EventStore({ service: 'conversation' });
  const tenant = newId();

  beforeAll(async () => {
    f = await fixture({ poolSize: 10 });
  });
  afterAll(async () => {
    await f.end();
  });

  const relay = (log: EventLog, options: Partial<RelayOptions> = {}): Relay => {
    const sut = new Relay({
      url: f.database.relayUrl,
      log,
      service: 'conversation',
      topics: [topic, 'operations.events.v1'],
      idleMs: 20,
      ...options,
    });
    relays.push(sut);
    sut.start();
    return sut;
  };
  const stopAll = async (): Promise<void> => {
    const all = relays;
    relays = [];
    await Promise.all(all.map((one) => one.stop()));
  };
  afterEach(stopAll);
  const append = (keys: string[]): Promise<unknown> =>
    f.db.withTenant(tenant, (tx) =>
      store.append(
        tx,
        topic,
        keys.map((key) => identified(key, newId(), 0)),
      ),
    );
  const dirty = async (): Promise<number> => {
    const { rows } = await f.admin.query<{ n: string }>('select count(*) n from key_head where dirty_since is not null');
    return Number(rows[0]?.n);
  };
  const clean = (): Promise<boolean> =>
    until(async () => (await dirty()) === 0, { timeoutMs: 20_000, describe: 'an empty outbox' });
  const seen = (log: MemoryLog, keys: readonly string[]): Map<string, Seen[]> => {
    const byKey = new Map<string, Seen[]>(keys.map((key) => [key, []]));
    for (const record of log.records(topic)) {
      const decoded = decodeEvent(record.value);
      if (!('event' in decoded)) throw new Error(decoded.detail);
      const key = record.key?.toString() ?? '';
      byKey.get(key)?.push({ key, version: Number(decoded.event.keyversion), id: decoded.event.id });
    }
    return byKey;
  };
  /** First occurrences are 1..n, and a version that comes again is the same event. */
  const expectGapless = (events: readonly Seen[], count: number): void => {
    const ids = new Map<number, string>();
    let highest = 0;
    for (const { version, id } of events) {
      expect(version).toBeLessThanOrEqual(highest + 1);
      expect(ids.get(version) ?? id).toBe(id);
      ids.set(version, id);
      highest = Math.max(highest, version);
    }
    expect(highest).toBe(count);
  };

  it('publishes whole events in order of their key', async () => {
    const log = createMemoryLog();
    const sut = relay(log);
    const key = newId();
    await append([key, key]);
    await append([key]);
    await clean();
    expectGapless(seen(log, [key]).get(key) ?? [], 3);
    expect(log.records(topic)).toHaveLength(3);
    const [record] = log.records(topic);
    const event = CloudEvent.parse(JSON.parse(record?.value?.toString() ?? ''));
    expect(event).toMatchObject({
      source: '/centralita/conversation',
      tenantid: tenant,
      keyversion: '1',
      streamversion: '1',
      causationid: null,
    });
    expect(record?.headers['content-type']?.toString()).toBe('application/cloudevents+json');
    expect(await sut.outbox()).toEqual({ depth: 0, oldestSeconds: 0 });
  });

  it('keeps order and loses nothing with two relays, failing appends and lost connections', async () => {
    const log = createMemoryLog();
    // the log stores, and then says that it did not: everything comes twice
    let calls = 0;
    const flaky: EventLog = {
      ...log,
      append: async (records) => {
        calls += 1;
        if (calls % 7 === 3) throw new PlatformError('LOG_UNAVAILABLE', 'before');
        await log.append(records);
        if (calls % 7 === 5) throw new PlatformError('LOG_UNAVAILABLE', 'after');
      },
    };
    relay(flaky, { headsPerBucket: 3, eventsPerHead: 1, eventsPerPass: 2 });
    relay(flaky, { headsPerBucket: 3, eventsPerHead: 1, eventsPerPass: 2 });
    const keys = Array.from({ length: 12 }, newId);
    const counts = new Map(keys.map((key) => [key, 0]));
    const writer = async (n: number): Promise<void> => {
      for (let i = 0; i < 30; i += 1) {
        const key = keys[(n * 5 + i) % keys.length] as string;
        await append([key, key]);
        counts.set(key, (counts.get(key) ?? 0) + 2);
      }
    };
    const killer = async (): Promise<void> => {
      for (let i = 0; i < 4; i += 1) {
        await until(async () => (await dirty()) > 0, { timeoutMs: 5_000 }).catch(() => undefined);
        await f.admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'conversation-relay' limit 1`,
        );
      }
    };
    await Promise.all([...Array.from({ length: 4 }, (_, n) => writer(n)), killer()]);
    await clean();
    for (const [key, events] of seen(log, keys)) expectGapless(events, counts.get(key) ?? 0);
  });

  it('does not let hot keys starve cold ones', async () => {
    // given: four hot keys and, after them, a cold one, all in one bucket
    const log = createMemoryLog();
    const { rows } = await f.admin.query<{ key: string }>(
      `select key from (select gen_random_uuid() key from generate_series(1, 500)) k where uuid_hash_extended(key, 0) & 15 = 3 limit 5`,
    );
    const [cold, ...hot] = rows.map(({ key }) => key) as [string, ...string[]];
    for (const key of hot) await append(Array.from({ length: 60 }, () => key));
    await append([cold]);
    // when
    const order: (string | null)[] = [];
    const recording = async (records: readonly LogRecord[]): Promise<void> => {
      order.push(...records.map((record) => record.key));
      await log.append(records);
    };
    relay({ ...log, append: recording }, { headsPerBucket: 2, eventsPerPass: 10 });
    await clean();
    // then: two passes of two hot heads with five events each, and its turn has come
    expect(order.indexOf(cold)).toBeLessThanOrEqual(25);
    for (const key of hot) expectGapless(seen(log, [key]).get(key) ?? [], 60);
  });

  it('is not blocked by a writer that holds a key, and sends its events once', async () => {
    const log = createMemoryLog();
    const [held, free] = [newId(), newId()];
    await append([held]);
    let release: () => void = () => undefined;
    const holding = new Promise<void>((resolve) => (release = resolve));
    let locked: () => void = () => undefined;
    const isLocked = new Promise<void>((resolve) => (locked = resolve));
    const writer = f.db.withTenant(tenant, async (tx) => {
      await store.append(tx, topic, [identified(held, newId(), 0)]);
      locked();
      await holding;
    });
    await isLocked;
    relay(log);
    await append([free]);
    await until(async () => log.records(topic).length === 2 && (await dirty()) === 1);
    // several more looks while the lock is held
    const looks = performance.now();
    await until(() => performance.now() - looks > 150);
    expect(log.records(topic)).toHaveLength(2);
    release();
    await writer;
    await clean();
    expectGapless(seen(log, [held]).get(held) ?? [], 2);
    expect(log.records(topic)).toHaveLength(3);
  });

  it('stays closed when the log holds an event of its service that the database does not', async () => {
    const log = createMemoryLog();
    const stranger = { ...CloudEvent.parse(sample()), id: newId(), keyversion: '1' };
    await log.append([eventRecord({ topic, key: newId(), value: Buffer.from(JSON.stringify(stranger)) })]);
    const alarms: RelayAlarm[] = [];
    const sut = relay(log, { metrics: { alarm: (alarm) => alarms.push(alarm) } });
    await append([newId()]);
    await until(() => sut.state === 'closed');
    expect(alarms).toEqual([{ code: 'STORE_BEHIND_LOG' }]);
    expect(log.records(topic)).toHaveLength(1);
    await stopAll();

    // records of other services, and those without a version, say nothing about this database
    const other = createMemoryLog();
    const foreign = { ...stranger, source: '/centralita/routing' };
    const direct = { ...stranger, keyversion: undefined };
    await other.append(
      [foreign, direct].map((event): LogRecord =>
        eventRecord({ topic, key: newId(), value: Buffer.from(JSON.stringify(event)) }),
      ),
    );
    relay(other);
    await clean();
  });

  it('never calls an event published when it was another that it sent under its version', async () => {
    // given: a server that loses a commit while its event is on the way to the log, and gives the version to another event
    const log = createMemoryLog();
    const [key, other] = [newId(), newId()];
    await append([key]);
    const forgetful: EventLog = {
      ...log,
      append: async (records) => {
        const client = await f.admin.connect();
        try {
          await client.query(`set session_replication_role = replica`);
          await client.query('update events set event_id = $2 where key = $1', [key, other]);
        } finally {
          client.release(true);
        }
        await log.append(records);
      },
    };
    const alarms: RelayAlarm[] = [];
    const sut = relay(forgetful, { metrics: { alarm: (alarm) => alarms.push(alarm) } });
    // then
    await until(() => sut.state === 'closed', { describe: () => `the relay to close: it is ${sut.state}` });
    expect(alarms).toEqual([{ code: 'STORE_BEHIND_LOG' }]);
    expect(seen(log, [key]).get(key)).not.toContainEqual(expect.objectContaining({ id: other }));
    const { rows } = await f.admin.query<{ published: string; id: string }>(
      'select published_version as published, e.event_id as id from key_head h join events e using (tenant_id, topic, key) where key = $1',
      [key],
    );
    expect(rows).toEqual([{ published: '0', id: other }]);
    await f.admin.query('update key_head set published_version = last_version, dirty_since = null where key = $1', [key]);
  });

  it('raises an alarm for a dirty head without its events and publishes the other keys', async () => {
    const log = createMemoryLog();
    const [broken, fine] = [newId(), newId()];
    await append([broken, broken]);
    await f.admin.query('alter table events disable trigger events_immutable');
    await f.admin.query('delete from events where key = $1 and key_version = 1', [broken]);
    const alarms: RelayAlarm[] = [];
    relay(log, { metrics: { alarm: (alarm) => alarms.push(alarm) } });
    await append([fine]);
    await until(() => seen(log, [fine]).get(fine)?.length === 1 && alarms.length > 0);
    expect(alarms).toEqual([{ code: 'INTERNAL', topic, key: broken }]);
    expect(seen(log, [broken]).get(broken)).toEqual([]);
    await stopAll();
    await f.admin.query('delete from events where key = $1', [broken]);
    await f.admin.query('delete from key_head where key = $1', [broken]);
    await f.admin.query('alter table events enable trigger events_immutable');
  });

  it('blocks only the key whose record the log refuses', async () => {
    const log = createMemoryLog();
    const [bad, good] = [newId(), newId()];
    const picky: EventLog = {
      ...log,
      append: async (records) => {
        if (records.some(({ key }) => key === bad)) throw new PlatformError('RECORD_TOO_LARGE', 'no');
        await log.append(records);
      },
    };
    const alarms: RelayAlarm[] = [];
    relay(picky, { metrics: { alarm: (alarm) => alarms.push(alarm) } });
    await append([bad, good]);
    await until(() => seen(log, [good]).get(good)?.length === 1 && alarms.length === 1);
    expect(alarms).toEqual([{ code: 'RECORD_TOO_LARGE', topic, key: bad }]);
    await until(async () => (await dirty()) === 1);
    await stopAll();
    relay(log);
    await clean();
  });

  it('stop() publishes what is there and gives the leases back', async () => {
    const log = createMemoryLog();
    const sut = relay(log, { headsPerBucket: 1, eventsPerPass: 5 });
    await until(() => sut.state === 'running');
    const key = newId();
    await append(Array.from({ length: 50 }, () => key));
    await stopAll();
    expectGapless(seen(log, [key]).get(key) ?? [], 50);
    expect(sut.state).toBe('stopped');
    await until(async () => {
      const { rows } = await f.admin.query(
        `select 1 from pg_stat_activity where datname = current_database() and application_name = 'conversation-relay'`,
      );
      return rows.length === 0;
    });
  });

  it('shares the buckets among relays and hands them over', async () => {
    const log = createMemoryLog();
    const locks = async (): Promise<number[]> => {
      const { rows } = await f.admin.query<{ n: string }>(
        `select count(*) n from pg_locks where locktype = 'advisory' and objid < 16 and granted
           and database = (select oid from pg_database where datname = current_database()) group by pid`,
      );
      return rows.map(({ n }) => Number(n));
    };
    const first = relay(log);
    await until(async () => (await locks()).join() === '16');
    const second = relay(log);
    await until(async () => (await locks()).join() === '8,8', { timeoutMs: 15_000, describe: () => 'eight buckets each' });
    await first.stop();
    await until(async () => (await locks()).join() === '16', { timeoutMs: 15_000 });
    expect(second.state).toBe('running');
  });

  it('is woken by a commit of its own process', async () => {
    const log = createMemoryLog();
    const sut = relay(log, { database: f.db, idleMs: 60_000 });
    await until(() => sut.state === 'running');
    // long enough for the pause to be far above what is asserted
    const idle = performance.now();
    await until(() => performance.now() - idle > 300);
    const started = performance.now();
    await append([newId()]);
    await until(() => log.records(topic).length === 1);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('writes pointers that a feed follows without missing any under two relays', async () => {
    const log = createMemoryLog();
    const mine = newId();
    relay(log);
    relay(log);
    const start = await f.db.withTenant(mine, (tx) => feedHead(tx, topic));
    const keys = Array.from({ length: 20 }, newId);
    const writers = Promise.all(
      keys.map((key) =>
        f.db.withTenant(mine, (tx) => store.append(tx, topic, [identified(key, key, 0), identified(key, newId(), 0)])),
      ),
    );
    let cursor = start;
    const ids: string[] = [];
    await until(async () => {
      const page = await f.db.withTenant(mine, (tx) => feed(tx, topic, cursor, 7));
      expect(page.items.length).toBeLessThanOrEqual(7);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
      return ids.length >= 40;
    });
    const appended = (await writers).flat().map(({ id }) => id);
    expect([...ids].sort()).toEqual([...appended].sort());
    expect((await f.db.withTenant(mine, (tx) => feed(tx, topic, cursor, 7))).items).toEqual([]);
    expect((await f.db.withTenant(mine, (tx) => feed(tx, topic, null, 100))).items).toHaveLength(40);
    expect((await f.db.withTenant(newId(), (tx) => feed(tx, topic, null, 100))).items).toEqual([]);
  });

  it('sends only after the fence, with synchronous_commit whatever the role has set', async () => {
    // given: a role that would commit asynchronously, and a server that is watched at the moment of the append
    await f.admin.query(`alter role ${f.database.name}_relay set synchronous_commit = off`);
    const log = createMemoryLog();
    const flushed = async (): Promise<bigint> => {
      const { rows } = await f.admin.query<{ lsn: string }>(`select (pg_current_wal_flush_lsn() - '0/0')::text lsn`);
      return BigInt(rows[0]?.lsn ?? 0);
    };
    const atAppend: bigint[] = [];
    const watching: EventLog = {
      ...log,
      append: async (records) => {
        atAppend.push(await flushed());
        await log.append(records);
      },
    };
    const sut = relay(watching, { database: f.db });
    await until(() => sut.state === 'running');
    // The server makes such commits durable by itself every 200 ms: now and then one of them would be so without the fence, not twenty.
    for (let round = 0; round < 20; round += 1) {
      await clean();
      const before = atAppend.length;
      // when: an event is committed asynchronously, while the relay looks
      let committed = 0n;
      await f.db.withTenant(tenant, async (tx) => {
        await tx.query('set local synchronous_commit = off');
        await store.append(tx, topic, [identified(newId(), newId(), 0)]);
        const [row] = await tx.query<{ lsn: string }>(`select (pg_current_wal_insert_lsn() - '0/0')::text lsn`);
        committed = BigInt(row?.lsn ?? 0);
      });
      await until(() => atAppend.length > before);
      // then: its bytes were durable before they were sent
      expect(committed).toBeGreaterThan(0n);
      expect(atAppend[before]).toBeGreaterThan(committed);
    }
    await clean();
    await f.admin.query(`alter role ${f.database.name}_relay reset synchronous_commit`);
  });

  const sample = (): unknown => ({
    specversion: '1.0',
    id: newId(),
    source: '/centralita/conversation',
    type: 'contact.identified.v1',
    time: '2026-01-01T00:00:00.000Z',
    subject: newId(),
    datacontenttype: 'application/json',
    dataschema: 'urn:centralita:schema:contact.identified.v1',
    tenantid: tenant,
    recordedtime: '2026-01-01T00:00:00.000Z',
    correlationid: newId(),
    causationid: null,
    data: { contactId: newId(), subjectId: newId() },
  });
});
