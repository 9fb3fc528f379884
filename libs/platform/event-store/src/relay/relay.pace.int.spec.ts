import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createMemoryLog, type EventLog, type LogRecord, type MemoryLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import { createDataSource, Database } from '../database.js';
import { EventStore } from '../event-store.js';
import { fixture, identified, newId, type Fixture } from '../support.spec.js';
import { Relay } from './relay.js';
import type { RelayOptions } from './relay-options.js';

const topic = 'conversation.events.v1';
/** Too long for any test: what happens sooner was rung for. */
const NEVER_MS = 60_000;

describe('the pace of a relay', () => {
  let f: Fixture;
  let relays: Relay[] = [];
  const store = new EventStore({ service: 'conversation' });
  const tenant = newId();

  beforeAll(async () => {
    f = await fixture({ poolSize: 4 });
  });
  afterAll(async () => f.end());
  afterEach(async () => {
    await Promise.all(relays.map((one) => one.stop()));
    relays = [];
  });

  const relay = (log: EventLog, options: Partial<RelayOptions> = {}): Relay => {
    const url = f.database.relayUrl;
    const sut = new Relay({ url, log, service: 'conversation', topics: [topic], idleMs: 20, ...options });
    relays.push(sut);
    sut.start();
    return sut;
  };
  const append = (keys: readonly string[], db = f.db): Promise<unknown> =>
    db.withTenant(tenant, (tx) =>
      store.append(
        tx,
        topic,
        keys.map((key) => identified(key, newId(), 0)),
      ),
    );
  const clean = (): Promise<boolean> =>
    until(async () => {
      const { rows } = await f.admin.query('select 1 from key_head where dirty_since is not null limit 1');
      return rows.length === 0;
    });
  /** A log that remembers how much each append brought. */
  const counting = (log: MemoryLog): { log: EventLog; sizes: number[] } => {
    const sizes: number[] = [];
    const append = async (records: readonly LogRecord[]): Promise<void> => {
      sizes.push(records.length);
      await log.append(records);
    };
    return { log: { ...log, append }, sizes };
  };
  /** Its pause has grown to `idleMs`. */
  const asleep = async (sut: Relay): Promise<void> => {
    await until(() => sut.state === 'running');
    const { rows } = await f.admin.query<{ now: Date }>('select clock_timestamp() as now');
    await until(async () => {
      const looked = await f.admin.query<{ at: Date }>(
        `select max(query_start) as at from pg_stat_activity where datname = current_database() and application_name = 'conversation-relay'`,
      );
      return Number(looked.rows[0]?.at) < Date.now() - 200 && Number(rows[0]?.now) < Date.now() - 200;
    });
  };

  it('gives a whole pass to one hot key, and shares it when there are more', async () => {
    const alone = newId();
    await append(Array.from({ length: 700 }, () => alone));
    const first = counting(createMemoryLog());
    const sut = relay(first.log);
    await clean();
    expect(first.sizes).toEqual([700]);
    await sut.stop();

    const several = Array.from({ length: 5 }, newId);
    await append(several.flatMap((key) => Array.from({ length: 40 }, () => key)));
    const second = counting(createMemoryLog());
    relay(second.log, { eventsPerPass: 100 });
    await clean();
    expect(second.sizes[0]).toBe(100);
    expect(second.sizes).toHaveLength(2);
  });

  it('ends a pass at its bytes, but always takes one event', async () => {
    const key = newId();
    await append(Array.from({ length: 60 }, () => key));
    const counted = counting(createMemoryLog());
    const sut = relay(counted.log, { bytesPerPass: 4_000 });
    await clean();
    expect(counted.sizes.length).toBeGreaterThan(2);
    expect(Math.max(...counted.sizes)).toBeLessThan(30);
    await sut.stop();

    await append([key, key]);
    const single = counting(createMemoryLog());
    relay(single.log, { bytesPerPass: 1 });
    await clean();
    expect(single.sizes).toEqual([1, 1]);
  });

  it('is woken by a commit of any handle of its process on its database', async () => {
    const log = createMemoryLog();
    await asleep(relay(log, { database: f.db, idleMs: NEVER_MS }));
    const other = new Database(createDataSource({ url: f.database.appUrl, poolSize: 1 }));
    await append([newId()], other);
    await until(() => log.records(topic).length === 1);
    await other.close();
  });

  it('wakes the relay that holds the other buckets', async () => {
    const log = createMemoryLog();
    const [near, far] = [relay(log, { database: f.db, idleMs: NEVER_MS }), relay(log, { idleMs: NEVER_MS })];
    const shares = async (): Promise<string> => {
      const { rows } = await f.admin.query<{ n: string }>(
        `select count(*) n from pg_locks where locktype = 'advisory' and objid < 16 and granted
           and database = (select oid from pg_database where datname = current_database()) group by pid`,
      );
      return rows.map(({ n }) => n).join();
    };
    // Who sleeps does not balance: the buckets are shared by appending, which wakes the near one.
    await until(async () => {
      await append([newId()]);
      near.wake();
      far.wake();
      return (await shares()) === '8,8';
    });
    await clean();
    await Promise.all([asleep(near), asleep(far)]);
    const before = log.records(topic).length;
    // Enough keys that some lie in the buckets of each.
    await append(Array.from({ length: 40 }, newId));
    await until(() => log.records(topic).length === before + 40);
  });

  it('stops in time when the log does not answer, and at once before it has begun', async () => {
    const log = createMemoryLog();
    let asked = 0;
    const silent = new Promise<never>(() => undefined);
    const hanging: EventLog = { ...log, append: () => ((asked += 1), silent) };
    const sut = relay(hanging, { drainMs: 50 });
    await append([newId()]);
    await until(() => asked === 1);
    await sut.stop();
    expect(sut.state).toBe('stopped');
    await until(async () => {
      const { rows } = await f.admin.query(
        `select 1 from pg_stat_activity where datname = current_database() and application_name = 'conversation-relay'`,
      );
      return rows.length === 0;
    });

    const unreachable: EventLog = { ...log, admin: { ...log.admin, endOffsets: () => silent } };
    const checking = relay(unreachable);
    await until(() => checking.state === 'checking');
    const began = performance.now();
    await checking.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    relay(log);
    await clean();
  });
});
