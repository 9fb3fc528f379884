import { randomUUID } from 'node:crypto';
import { EventStore } from '@centralita/event-store';
import { until } from '@centralita/testing-engines';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sweepInputs } from '../inputs/input-table.js';
import { accept, Domain, Ground } from '../support.spec.js';
import { loadDomain } from './load.js';
import { saveSnapshot } from './snapshot.js';

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.prepare();
});
afterAll(() => ground.end());

describe('the start of a writer', () => {
  const started = async (domain: Domain) => ground.db.withTenant(domain.tenantId, (tx) => loadDomain(tx, ground.store));
  const work = async (domain: Domain, conversations: number): Promise<void> => {
    for (let index = 0; index < conversations; index += 1) {
      const conversationId = randomUUID();
      await domain.send(domain.opened(conversationId));
      await accept(domain);
      await domain.send({ kind: 'conversation.closed', conversationId });
    }
  };
  const withHistory = async (options: { snapshotEvery: number }): Promise<Domain> => {
    const domain = new Domain(ground);
    const writer = ground.startWriter(domain.tenantId, options);
    await domain.define({ agents: 2, capacity: 2 });
    await work(domain, 12);
    await writer.stop();
    return domain;
  };

  it('folds what came after the newest snapshot, and nothing before it', async () => {
    const domain = await withHistory({ snapshotEvery: 10 });
    const { snapshotAt, state } = await started(domain);
    expect(state.position - snapshotAt).toBeLessThan(10 + 10);
    expect(snapshotAt).toBeGreaterThan(20);
    await domain.expectDecidedAgain();
    // The events before it are not looked at again: without them it is the same.
    const read: bigint[] = [];
    const readDomain = ground.store.readDomain.bind(ground.store);
    const spy = jest.spyOn(ground.store, 'readDomain').mockImplementation((tx, id, from, limit) => {
      read.push(from);
      return readDomain(tx, id, from, limit);
    });
    try {
      expect((await started(domain)).state).toEqual(state);
    } finally {
      spy.mockRestore();
    }
    expect(read).toEqual([BigInt(snapshotAt + 1)]);
    // And the next writer goes on from there as the one before would have.
    const next = ground.startWriter(domain.tenantId, { snapshotEvery: 10 });
    await work(domain, 3);
    await next.stop();
    await domain.expectDecidedAgain();
    expect((await started(domain)).snapshotAt).toBeGreaterThan(snapshotAt);
  });

  it('does not trust a snapshot of another fold, and needs none', async () => {
    const domain = await withHistory({ snapshotEvery: 10 });
    const { state } = await started(domain);
    await ground.admin.query(`update domain_snapshot set fold_version = 0 where tenant_id = $1`, [domain.tenantId]);
    expect(await started(domain)).toMatchObject({ snapshotAt: 0, state });
    await ground.admin.query(`delete from domain_snapshot where tenant_id = $1`, [domain.tenantId]);
    expect(await started(domain)).toMatchObject({ snapshotAt: 0, state });
  });

  it('keeps no state that its events do not give', async () => {
    const domain = await withHistory({ snapshotEvery: 1_000_000 });
    const { state } = await started(domain);
    const [agent] = state.agents.values();
    const wrong = { ...state, agents: new Map(state.agents).set(String(agent?.agentId), { ...agent!, missed: 7 }) };
    const save = (kept: typeof state) => ground.db.withTenant(domain.tenantId, (tx) => saveSnapshot(tx, ground.store, kept));
    await expect(save(wrong)).rejects.toMatchObject({ code: 'INTERNAL', details: { position: state.position } });
    expect(await domain.rows('domain_snapshot')).toEqual([]);
    await save(state);
    expect(await started(domain)).toMatchObject({ snapshotAt: state.position, state });
  });

  it('finds inputs that nobody can ask for any more removed, never the last one', async () => {
    const domain = await withHistory({ snapshotEvery: 1_000_000 });
    const inputs = await domain.rows('domain_input');
    const age = (days: number) =>
      ground.admin.query(`update domain_input set received_at = received_at - $2::bigint * 86400000 where tenant_id = $1`, [
        domain.tenantId,
        days,
      ]);
    const sweep = (limit: number) => ground.db.withTenant(domain.tenantId, (tx) => sweepInputs(tx, limit));
    await age(8);
    expect(await sweep(1000)).toBe(0);
    await age(2);
    expect(await sweep(3)).toBe(3);
    const writer = ground.startWriter(domain.tenantId);
    await until(async () => (await domain.rows('domain_input')).length === 1);
    expect((await domain.send(domain.opened())).refusal).toBeNull();
    await writer.stop();
    const { inputSeq } = await started(domain);
    expect(inputSeq).toBe(BigInt(inputs.length + 1));
    // Without its row of progress it still knows the number.
    await ground.admin.query(`delete from domain_progress where tenant_id = $1`, [domain.tenantId]);
    expect((await started(domain)).inputSeq).toBe(inputSeq);
  });

  it('after a failed snapshot forgets what it held and goes on', async () => {
    const domain = new Domain(ground);
    const { store } = ground;
    let failures = 0;
    const evil = jest.spyOn(store, 'readDomain').mockImplementation(async (tx, id, from, limit) => {
      const events = await EventStore.prototype.readDomain.call(store, tx, id, from, limit);
      if (failures > 0 || events.length === 0) return events;
      failures += 1;
      return events.slice(1);
    });
    try {
      const writer = ground.startWriter(domain.tenantId, { snapshotEvery: 5 });
      await domain.define({ agents: 1 });
      await until(() => failures === 1);
      await writer.done;
    } finally {
      evil.mockRestore();
    }
    expect(await domain.rows('domain_snapshot')).toEqual([]);
    const next = ground.startWriter(domain.tenantId, { snapshotEvery: 5 });
    await domain.send(domain.opened());
    await until(async () => (await domain.rows('domain_snapshot')).length === 1);
    await next.stop();
    await domain.expectDecidedAgain();
  });
});
