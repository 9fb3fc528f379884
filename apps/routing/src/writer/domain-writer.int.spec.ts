import { randomUUID } from 'node:crypto';
import type { DomainLease } from '@centralita/event-store';
import { until } from '@centralita/testing-engines';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { domainOf } from '../ids.js';
import { pendingInputs } from '../inputs/input-table.js';
import { projectedTables } from '../read/project.js';
import { accept, Domain, Ground, openOffers } from '../support.spec.js';
import { loadDomain, rebuild } from './load.js';
import { takeInputs } from './take-inputs.js';

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.prepare();
});
afterAll(() => ground.end());

const holderOf = async (domain: Domain): Promise<{ holder: string | null; epoch: bigint }> => {
  const { rows } = await ground.admin.query<{ holder: string | null; epoch: string }>(
    'select holder, epoch from domain_head where tenant_id = $1',
    [domain.tenantId],
  );
  return { holder: rows[0]?.holder ?? null, epoch: BigInt(rows[0]?.epoch ?? 0) };
};

const expireLease = (domain: Domain) =>
  ground.admin.query(`update domain_head set leased_until = now() - interval '1 second' where tenant_id = $1`, [domain.tenantId]);

describe('the writer of a routing domain', () => {
  it('decides an input when it comes, and a deadline when it is due, without looking by time', async () => {
    const domain = new Domain(ground);
    const writer = ground.startWriter(domain.tenantId, { leaseMs: 300_000, lookMs: 100_000 });
    await domain.define({ agents: 1, wrapUpMs: 5 });
    for (let index = 0; index < 20; index += 1) {
      const conversationId = randomUUID();
      await domain.send(domain.opened(conversationId));
      await accept(domain);
      await domain.send({ kind: 'conversation.closed', conversationId });
    }
    await until(async () => (await domain.events()).filter((event) => event.type === 'task.completed.v1').length === 20);
    await writer.stop();
  });

  it('keeps where each event came from', async () => {
    const domain = new Domain(ground);
    const writer = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 1 });
    await domain.send(domain.opened());
    await writer.stop();
    await domain.expectDecidedAgain();
    const offered = (await domain.events()).find((event) => event.type === 'reservation.offered.v1');
    expect(offered).toMatchObject({ topic: 'routing.events.v1', key: offered?.data.subjectId });
    await writer.stop();
  });

  it('turns deadlines into inputs: an offer nobody answers expires by itself, at its time', async () => {
    const domain = new Domain(ground);
    const writer = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 1, offerTimeoutMs: 100 });
    await domain.send(domain.opened());
    const expired = await until(async () => (await domain.events()).find((event) => event.type === 'reservation.expired.v1'));
    const offered = (await domain.events()).find((event) => event.type === 'reservation.offered.v1');
    expect(expired?.data.expiredAt).toBe(offered?.data.expiresAt);
    // Nobody else is there: after another offer time the same agent is asked again.
    await until(async () => (await domain.events()).filter((event) => event.type === 'reservation.offered.v1').length >= 2);
    await writer.stop();
    await domain.expectDecidedAgain();
  });

  it('ends wrap-ups that ran out while no writer was there, each at its time, in one transaction', async () => {
    const domain = new Domain(ground);
    const first = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 1, capacity: 3, wrapUpMs: 200 });
    const conversations = [randomUUID(), randomUUID(), randomUUID()];
    for (const id of conversations) await domain.send(domain.opened(id));
    await accept(domain);
    await first.stop();
    await domain.insert(...conversations.map((conversationId) => ({ kind: 'conversation.closed' as const, conversationId })));
    const closedBy = Date.now();
    await until(() => Date.now() > closedBy + 250);
    const second = ground.startWriter(domain.tenantId);
    const completed = async () => (await domain.events()).filter((event) => event.type === 'task.completed.v1');
    await until(async () => (await completed()).length === 3);
    await second.stop();
    const ends = (await domain.events()).flatMap((event) => (event.type === 'task.wrapping.v1' ? [event.data.wrapUpUntil] : []));
    expect((await completed()).map(({ data }) => data.completedAt)).toEqual(ends);
    const { rows } = await ground.admin.query<{ transactions: string }>(
      `select count(distinct xmin::text) as transactions from events where tenant_id = $1 and type = 'task.completed.v1'`,
      [domain.tenantId],
    );
    expect(rows).toEqual([{ transactions: '1' }]);
    await domain.expectDecidedAgain();
  });

  it('makes offers that are open for their full time, however long nobody was there to make them', async () => {
    const domain = new Domain(ground);
    const first = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 2, offerTimeoutMs: 150 });
    await domain.send(domain.opened());
    await first.stop();
    const inputs = await domain.insert(domain.opened(), domain.opened());
    const [open] = await openOffers(domain);
    const { agentId = '', reservationId = '' } = open ?? {};
    // The answer came in time, whenever it is read.
    const [answer] = await domain.insert({ kind: 'offer.accepted', reservationId, agentId });
    const leftAt = Date.now();
    await until(() => Date.now() > leftAt + 10 * 150);
    const second = ground.startWriter(domain.tenantId);
    for (const input of inputs) await domain.result(input);
    expect(await domain.result(answer as bigint)).toMatchObject({ refusal: null });
    await second.stop();
    const decided = await domain.events();
    for (const { type, data, time } of decided)
      if (type === 'reservation.offered.v1') expect(Date.parse(data.expiresAt)).toBe(time.getTime() + 150);
    expect(decided.filter(({ type }) => type === 'reservation.offered.v1').length).toBeLessThanOrEqual(3);
    await domain.expectDecidedAgain();
  });

  it('takes in tasks that waited without a queue, and keeps their numbers with the input', async () => {
    const domain = new Domain(ground);
    const writer = ground.startWriter(domain.tenantId);
    const conversationId = randomUUID();
    await ground.db.withTenant(domain.tenantId, (tx) =>
      tx.execute(
        `insert into conversation_fact (tenant_id, conversation_id, subject_id, phone_number_id, ordinal) values ($1, $2, $3, '100', 1)`,
        [domain.tenantId, conversationId, randomUUID()],
      ),
    );
    await domain.send(domain.opened(conversationId));
    expect((await domain.events())[0]).toMatchObject({ type: 'task.queued.v1', data: { queueId: null } });
    await domain.define({ agents: 1 });
    expect(await openOffers(domain)).toMatchObject([{ taskId: conversationId }]);
    await writer.stop();
    await domain.expectDecidedAgain();
  });

  it('lets no time run backwards, whatever the clock of the database did between two inputs', async () => {
    const domain = new Domain(ground);
    await domain.insert(domain.opened());
    const [second] = await domain.insert(domain.opened());
    await ground.admin.query(`update domain_input set received_at = received_at - 60000 where tenant_id = $1 and arrival = $2`, [
      domain.tenantId,
      second?.toString(),
    ]);
    const writer = ground.startWriter(domain.tenantId);
    await domain.result(second as bigint);
    await writer.stop();
    const queued = (await domain.events()).flatMap((event) => (event.type === 'task.queued.v1' ? [event.data.queuedAt] : []));
    expect(queued).toHaveLength(2);
    expect(queued[1]).toBe(queued[0]);
    await domain.expectDecidedAgain();
  });

  it('reports a refusal as the result of the input, and goes on', async () => {
    const domain = new Domain(ground);
    const writer = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 1 });
    const gone = await domain.send({ kind: 'offer.accepted', reservationId: randomUUID(), agentId: randomUUID() });
    expect(gone).toMatchObject({ refusal: { code: 'OFFER_GONE' }, events: 0, heads: {} });
    expect((await domain.send(domain.opened())).refusal).toBeNull();
    await writer.stop();
  });

  it('knows nothing but the events and inputs after a restart in the middle of the day', async () => {
    const domain = new Domain(ground);
    const first = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 3, capacity: 2 });
    await domain.insert(...Array.from({ length: 10 }, () => domain.opened()));
    await until(async () => (await openOffers(domain)).length === 6);
    await accept(domain);
    await first.stop();
    // What comes while nobody writes waits in the table.
    const seqs = await domain.insert(...Array.from({ length: 5 }, () => domain.opened()));
    const second = ground.startWriter(domain.tenantId);
    await domain.result(seqs.at(-1) as bigint);
    await second.stop();
    const state = await domain.expectDecidedAgain();
    expect(state.tasks.size).toBe(15);
    const loaded = await ground.db.withTenant(domain.tenantId, (tx) => loadDomain(tx, ground.store));
    expect(loaded.state).toEqual(state);
  });
});

describe('two writers of one domain', () => {
  it('do not write at the same time: the second one waits for the lease', async () => {
    const domain = new Domain(ground);
    const first = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 1 });
    await ground.startWriter(domain.tenantId).done;
    expect((await holderOf(domain)).holder).toBe(first.holder);
    await first.stop();
    expect((await holderOf(domain)).holder).toBeNull();
  });

  it('of which one comes back from the dead: its stale epoch changes nothing, with or without events', async () => {
    const domain = new Domain(ground);
    const zombieHolder = randomUUID();
    const leaseOf = async (holder: string): Promise<DomainLease> => {
      const lease = await ground.db.withTenant(domain.tenantId, (tx) =>
        ground.store.leaseDomain(tx, domainOf(domain.tenantId), holder, 60_000),
      );
      if (!lease) throw new Error('the lease is taken');
      return lease;
    };
    const stale = await leaseOf(zombieHolder);
    const before = await ground.db.withTenant(domain.tenantId, (tx) => loadDomain(tx, ground.store));
    // The zombie has read these inputs and stops breathing; its lease runs out, and another writer decides them.
    const gone = { kind: 'offer.accepted', reservationId: randomUUID(), agentId: randomUUID() } as const;
    const [, last] = await domain.insert(domain.opened(), gone);
    const inputs = await ground.db.withTenant(domain.tenantId, (tx) => pendingInputs(tx, 10));
    expect(inputs).toHaveLength(2);
    await expireLease(domain);
    const writer = ground.startWriter(domain.tenantId);
    await domain.result(last as bigint);
    await writer.stop();
    const after = { events: await domain.events(), inputs: await domain.rows('domain_input'), tasks: await domain.rows('task') };

    const zombie = (part: typeof inputs) =>
      ground.db.withTenant(domain.tenantId, (tx) => takeInputs(tx, ground.store, stale, before, part, true, Date.now()));
    await expect(zombie(inputs)).rejects.toMatchObject({ code: 'STALE_EPOCH' });
    await expect(zombie(inputs.slice(1))).rejects.toMatchObject({ code: 'STALE_EPOCH' });
    expect({
      events: await domain.events(),
      inputs: await domain.rows('domain_input'),
      tasks: await domain.rows('task'),
    }).toEqual(after);
    // And with the right epoch but an old memory it stops as well.
    const fresh = await leaseOf(zombieHolder);
    await expect(
      ground.db.withTenant(domain.tenantId, (tx) => takeInputs(tx, ground.store, fresh, before, inputs, true, Date.now())),
    ).rejects.toMatchObject({ code: 'INTERNAL', details: { position: 0 } });
  });

  it('that lose their lease again and again in the middle of work decide every input once, as one would have', async () => {
    const domain = new Domain(ground);
    const conversations = Array.from({ length: 120 }, () => randomUUID());
    const stopped = new AbortController();
    let takeovers = 0;
    const decided = async (): Promise<number> => {
      const { rows } = await ground.admin.query<{ seq: string }>(
        `select input_seq as seq from domain_progress where tenant_id = $1`,
        [domain.tenantId],
      );
      return Number(rows[0]?.seq ?? 0);
    };
    // Three processes fight for the lease; each gives up when it is replaced, and tries again once the lease can be had.
    const canBeHad = async (): Promise<boolean> => {
      const { rows } = await ground.admin.query<{ held: boolean }>(
        `select leased_until > clock_timestamp() as held from domain_head where tenant_id = $1`,
        [domain.tenantId],
      );
      return stopped.signal.aborted || rows[0]?.held !== true;
    };
    const contenders = Array.from({ length: 3 }, async () => {
      while (!stopped.signal.aborted) {
        const writer = ground.startWriter(domain.tenantId, { leaseMs: 600, snapshotEvery: 40 });
        const stop = (): void => void writer.stop();
        stopped.signal.addEventListener('abort', stop);
        await writer.done;
        stopped.signal.removeEventListener('abort', stop);
        takeovers += 1;
        await until(canBeHad);
      }
    });
    await domain.define({ agents: 4, capacity: 2, wrapUpMs: 10 });
    // Each holder is robbed as soon as it has decided something.
    const robber = (async () => {
      for (let seen = 0; !stopped.signal.aborted; seen = await decided()) {
        const before = seen;
        await until(async () => stopped.signal.aborted || (await decided()) > before);
        await expireLease(domain);
      }
    })();
    for (let index = 0; index < conversations.length; index += 10) {
      await domain.insert(...conversations.slice(index, index + 10).map((id) => domain.opened(id)));
      await accept(domain);
      await domain.insert(
        ...conversations.slice(0, index).map((conversationId) => ({ kind: 'conversation.closed' as const, conversationId })),
      );
    }
    const seqs = await domain.insert(
      ...conversations.map((conversationId) => ({ kind: 'conversation.closed' as const, conversationId })),
    );
    await domain.result(seqs.at(-1) as bigint);
    await until(async () => (await domain.events()).filter((event) => event.type === 'task.completed.v1').length === 120);
    stopped.abort();
    await Promise.all([robber, ...contenders]);
    const { epoch } = await holderOf(domain);
    expect(takeovers).toBeGreaterThan(3);
    expect(epoch).toBeGreaterThan(3n);
    const events = await domain.events();
    for (const type of ['task.completed.v1', 'task.queued.v1'])
      expect(events.filter((event) => event.type === type)).toHaveLength(120);
    expect((await domain.rows('domain_input')).every((row) => (row as { result: unknown }).result !== null)).toBe(true);
    await domain.expectDecidedAgain();
  });
});

describe('the tables for queries', () => {
  it('are made again from the events, equal, when they were dropped', async () => {
    const domain = new Domain(ground);
    const writer = ground.startWriter(domain.tenantId);
    await domain.define({ agents: 3, capacity: 2, wrapUpMs: 60_000 });
    const conversations = Array.from({ length: 9 }, () => randomUUID());
    await domain.insert(...conversations.map((id) => domain.opened(id)));
    await until(async () => (await openOffers(domain)).length === 6);
    await accept(domain);
    await domain.send({ kind: 'conversation.closed', conversationId: conversations[0] as string });
    await domain.send({ kind: 'conversation.closed', conversationId: conversations[8] as string });
    await writer.stop();
    const snapshot = async () => Promise.all(projectedTables.map((table) => domain.rows(table)));
    const before = await snapshot();
    expect(before.every((rows) => rows.length > 0)).toBe(true);

    for (const table of [...projectedTables, 'domain_progress'])
      await ground.admin.query(`delete from ${table} where tenant_id = $1`, [domain.tenantId]);
    const loaded = await ground.db.withTenant(domain.tenantId, (tx) => loadDomain(tx, ground.store));
    expect(await snapshot()).toEqual(before);
    // The next input is the next one, not the first again.
    const inputs = await domain.rows('domain_input');
    expect(loaded.inputSeq).toBe(BigInt(inputs.length));
    await ground.db.withTenant(domain.tenantId, (tx) => rebuild(tx, ground.store));
    expect(await snapshot()).toEqual(before);
  });

  it('of one tenant are closed to another', async () => {
    const [mine, other] = [new Domain(ground), new Domain(ground)];
    const writer = ground.startWriter(mine.tenantId);
    await mine.define({ agents: 1 });
    await mine.send(mine.opened());
    await writer.stop();
    for (const table of [...projectedTables, 'domain_input', 'domain_progress', 'domain_snapshot', 'conversation_fact']) {
      const seen = (tenantId: string) => ground.db.withTenant(tenantId, (tx) => tx.query(`select 1 from ${table}`));
      expect([table, await seen(other.tenantId)]).toEqual([table, []]);
    }
  });
});
