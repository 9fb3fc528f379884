import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CloudEvent } from '@centralita/contracts';
import { openEventLog, type EventLog, type StoredRecord } from '@centralita/event-log';
import { assertNoneLeft, createTestTopics, ProcessHarness, testBrokers, until } from '@centralita/testing-engines';
import { EventStore } from '../event-store.js';
import { applied, inboxFixture, none, writeApplied } from '../inbox/support.spec.js';
import { inboxMiddleware } from '../inbox/middleware.js';
import { consumerLag, startAt } from '../inbox/positions.js';
import { renamedLog } from '../renamed-log.spec.js';
import { identified, newId, type Fixture } from '../support.spec.js';

const topic = 'conversation.events.v1';
const PARTITIONS = 3;

describe('relays that are killed and frozen, on a broker', () => {
  let f: Fixture;
  let broker: EventLog;
  let log: EventLog;
  let names: Record<string, string>;
  const processes: ProcessHarness[] = [];
  const store = new EventStore({ service: 'conversation' });
  const tenant = newId();

  beforeAll(async () => {
    f = await inboxFixture();
    names = await createTestTopics([topic], PARTITIONS);
    broker = await openEventLog({ brokers: testBrokers(), clientId: 'relay-kill' });
    log = renamedLog(broker, names);
  });
  afterAll(async () => {
    await Promise.all(processes.filter((one) => one.running()).map((one) => one.kill()));
    assertNoneLeft(processes);
    await broker.close();
    await f.end();
  });

  const startRelay = async (): Promise<ProcessHarness> => {
    const relay = await ProcessHarness.start({
      name: `relay-${processes.length}`,
      script: fileURLToPath(new URL('./relay-process.spec.ts', import.meta.url)),
      env: { RELAY_URL: f.database.relayUrl, KAFKA_BROKERS: testBrokers().join(','), TOPICS: JSON.stringify(names) },
    });
    processes.push(relay);
    await relay.waitForLine(/running|alarm/);
    return relay;
  };
  const published = async (): Promise<number> => {
    const { rows } = await f.admin.query<{ n: string }>('select coalesce(sum(published_version), 0) n from key_head');
    return Number(rows[0]?.n);
  };

  it('keeps first occurrences of every key in order and loses none, and consumers see each event once', async () => {
    const keys = Array.from({ length: 15 }, newId);
    const ids = new Map<string, string[]>(keys.map((key) => [key, []]));
    let writing = true;
    const writer = async (n: number): Promise<void> => {
      for (let i = 0; writing; i += 1) {
        const key = keys[(n * 7 + i * 3) % keys.length] as string;
        const events = await f.db.withTenant(tenant, (tx) =>
          store.append(tx, topic, [identified(key, newId(), 0), identified(key, newId(), 0)]),
        );
        for (const { keyVersion, id } of events) (ids.get(key) as string[])[Number(keyVersion) - 1] = id;
        // about as fast as the relays are after a kill, so that they always have something in flight
        await until(async () => [...ids.values()].flat().length - (await published()) < 400, { timeoutMs: 60_000 });
      }
    };
    // a consumer that reads all along, and gets company in the middle
    const group = `kill-${newId()}`;
    const middleware = inboxMiddleware({ db: f.db, groupId: group, store, log, service: 'conversation' });
    const crashes: Error[] = [];
    const subscribe = (): ReturnType<EventLog['subscribe']> =>
      log.subscribe({
        groupId: group,
        topics: [topic],
        startAt: startAt(f.db, group),
        onBatch: (batch) => middleware(batch, writeApplied(group), none),
        onCrash: (error) => crashes.push(error),
      });
    const first = await subscribe();

    // when: two relays, of which one is killed or frozen again and again in the middle of its work
    let [a, b] = await Promise.all([startRelay(), startRelay()]);
    const writers = [0, 1, 2].map(writer);
    const progress = async (by: number): Promise<void> => {
      const from = await published();
      await until(async () => (await published()) > from + by, { timeoutMs: 30_000, describe: 'the relays to go on' });
    };
    await progress(50);
    await a.kill();
    await progress(50);
    a = await startRelay();
    b.signal('SIGSTOP');
    // its leases run out while it is frozen, and it wakes up in the middle of a pass
    await progress(100);
    const second = await subscribe();
    b.signal('SIGCONT');
    await progress(50);
    await b.kill();
    b = await startRelay();
    await a.kill();
    await progress(50);
    writing = false;
    await Promise.all(writers);
    const total = [...ids.values()].flat().length;
    await until(async () => (await published()) === total, { timeoutMs: 30_000, describe: 'an empty outbox' });
    await b.stop();

    // then: the log
    const records: StoredRecord[] = [];
    const ends = await log.admin.endOffsets(topic);
    await log.read(
      [...ends].map(([partition, to]) => ({ topic, partition, from: 0n, to })),
      async (found) => {
        records.push(...found);
      },
    );
    const seen = new Map<string, string[]>(keys.map((key) => [key, []]));
    for (const { value } of records) {
      const event = CloudEvent.parse(JSON.parse(value?.toString() ?? ''));
      const subject = (event.data as { subjectId: string }).subjectId;
      const known = seen.get(subject) as string[];
      const place = Number(event.keyversion) - 1;
      expect(place).toBeLessThanOrEqual(known.length);
      known[place] ??= event.id;
      expect(event.id).toBe(known[place]);
    }
    for (const key of keys) expect(seen.get(key)).toEqual(ids.get(key));
    expect(processes.flatMap(({ lines }) => lines.filter((line) => line.startsWith('alarm')))).toEqual([]);

    // and: the consumer
    let lag: Awaited<ReturnType<typeof consumerLag>> = [];
    await until(
      async () => {
        lag = await consumerLag(f.db, log, group);
        return lag.length === PARTITIONS && lag.every((one) => one.records === 0n);
      },
      { timeoutMs: 30_000, describe: () => `the consumer to catch up: ${inspect({ lag, crashes })}` },
    );
    await Promise.all([first.close(), second.close()]);
    const rows = await applied(f, group);
    for (const key of keys) expect(rows.filter((row) => row.key === key).map(({ id }) => id)).toEqual(ids.get(key));
    expect(crashes).toEqual([]);
  }, 180_000);
});
