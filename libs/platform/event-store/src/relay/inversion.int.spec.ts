import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeEvent } from '@centralita/contracts';
import { createMemoryLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';

import { EventStore } from '../event-store.js';
import { fixture, identified, newId, type Fixture } from '../support.spec.js';
import type { Tx } from '../types.js';
import { Relay } from './relay.js';

const topic = 'conversation.events.v1';

describe('two streams whose transactions commit in the other order, with a third writer open', () => {
  let f: Fixture;
  let elsewhere: Fixture;
  const store = new EventStore({ service: 'conversation' });
  const tenant = newId();

  beforeAll(async () => {
    [f, elsewhere] = await Promise.all([fixture(), fixture()]);
  });
  afterAll(() => Promise.all([f.end(), elsewhere.end()]));

  /** A transaction that is led from outside, step by step. It has its transaction id from the beginning. */
  const writer = async (at: Fixture) => {
    const begun = Promise.withResolvers<{ tx: Tx; id: bigint }>();
    const end = Promise.withResolvers<void>();
    const done = at.db.withTenant(tenant, async (tx) => {
      const [row] = await tx.query<{ id: string }>('select pg_current_xact_id()::text as id');
      begun.resolve({ tx, id: BigInt(row?.id ?? 0) });
      await end.promise;
    });
    const { tx, id } = await begun.promise;
    return {
      id,
      append: (...events: ReturnType<typeof identified>[]) => store.append(tx, topic, events),
      commit: async () => {
        end.resolve();
        await done;
      },
    };
  };

  it('publishes each key in the order of its commits, at once, and the third when it commits', async () => {
    const log = createMemoryLog();
    const published = (): string[] =>
      log.records(topic).map(({ key, value }) => {
        const decoded = decodeEvent(value);
        if (!('event' in decoded)) throw new Error(decoded.detail);
        return `${key?.toString()} ${decoded.event.keyversion} ${decoded.event.subject}@${decoded.event.streamversion}`;
      });
    const relay = new Relay({ url: f.database.relayUrl, log, service: 'conversation', topics: [topic], idleMs: 20 });
    relay.start();
    try {
      const [key, other, one, two, three] = [newId(), newId(), newId(), newId(), newId()];
      // given: transactions in this order of ids, the third in the middle, and one in another database of the cluster
      const early = await writer(f);
      const third = await writer(f);
      const foreign = await writer(elsewhere);
      const late = await writer(f);
      expect(early.id < third.id && third.id < late.id).toBe(true);
      await third.append(identified(other, three, 0));
      await foreign.append(identified(newId(), newId(), 0));

      // when: the late one commits first, then the early one, which writes both streams after it
      await late.append(identified(key, two, 0));
      await late.commit();
      await until(() => published().length === 1);
      await early.append(identified(key, one, 0), identified(key, two, 1));
      await early.commit();

      // then: both are on the log while the third and the foreign writer are still open
      await until(() => published().length === 3);
      expect(published()).toEqual([`${key} 1 ${two}@1`, `${key} 2 ${one}@1`, `${key} 3 ${two}@2`]);
      await third.commit();
      await until(() => published().length === 4);
      // Its key may stand in an earlier partition.
      expect(published()).toContain(`${other} 1 ${three}@1`);
      await foreign.commit();
    } finally {
      await relay.stop();
    }
  });

  it('gives the same order to a relay that looks only when all have committed', async () => {
    const log = createMemoryLog();
    const [key, one, two] = [newId(), newId(), newId()];
    const early = await writer(f);
    const third = await writer(f);
    const late = await writer(f);
    await third.append(identified(newId(), newId(), 0));
    await late.append(identified(key, two, 0));
    await late.commit();
    await early.append(identified(key, one, 0));
    await early.commit();
    await third.commit();
    const relay = new Relay({ url: f.database.relayUrl, log, service: 'conversation', topics: [topic], idleMs: 20 });
    relay.start();
    try {
      await until(() => log.records(topic).length === 3);
      const ofKey = log.records(topic).filter((record) => record.key?.toString() === key);
      const streams = ofKey.map(({ value }) => {
        const decoded = decodeEvent(value);
        return 'event' in decoded ? decoded.event.subject : decoded.detail;
      });
      expect(streams).toEqual([two, one]);
    } finally {
      await relay.stop();
    }
  });
});
