import { randomUUID } from 'node:crypto';
import type { FeedPage, Pointer } from '@centralita/contracts';
import type { ConsumedEvent } from '@centralita/event-log';
import { inOneTrip, type Tx } from '@centralita/event-store';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cloudEvent } from '../support-events.spec.js';
import { TestPlatform } from '../support.spec.js';
import { conversationFeed } from './feed.js';
import { laneOf, pointersTo, REPLY_STATUS_POINTER } from './reply-pointers.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const read = async (cursor: string | null, query = ''): Promise<FeedPage> => {
  const actor = { tenantId: sut.tenantId, roles: ['platform'] as const };
  const answer = await sut.call<FeedPage>(actor, 'GET', `/v1/feed?${query}${cursor === null ? '' : `&cursor=${cursor}`}`);
  expect(answer.status).toBe(200);
  return answer.body;
};
/** All pages from a cursor on. */
const drain = async (cursor: string, limit = 200): Promise<{ items: Pointer[]; cursor: string }> => {
  const items: Pointer[] = [];
  for (let at = cursor; ;) {
    const page = await read(at, `limit=${String(limit)}`);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    at = page.cursor;
    if (page.items.length === 0) return { items, cursor: at };
  }
};
const ofStatuses = (items: readonly Pointer[]): Pointer[] => items.filter(({ type }) => type === REPLY_STATUS_POINTER);

const by = (): ConsumedEvent => {
  const key = randomUUID();
  const event = cloudEvent(sut.tenantId, sut.now(), 'subject.erased.v1', key, {} as never);
  return { event, topic: 'wa.inbound.v1', partition: 0, offset: 0n, key };
};
const change = (conversationId: string) => ({ conversationId, by: by() });
const point = (lane: number, ...conversationIds: string[]): Promise<void> =>
  sut.service.deps.db.withTenant(sut.tenantId, async (tx) => inOneTrip(tx, pointersTo(lane, conversationIds.map(change))));

describe('the feed of conversation', () => {
  it('tells that a status changed, by the id of the conversation and nothing about anybody', async () => {
    const { customer, agent, path } = await sut.talking();
    const { body } = await sut.call<{ id: string }>(
      agent,
      'POST',
      `${path}/replies`,
      { kind: 'text', text: 'Hola' },
      { 'if-match': '1.0' },
    );
    const [row] = await sut.rows('thread_item', 'item_id', body.id);
    const messageRef = await sut.ref(`wamid.${body.id}`);
    await sut.seen(async () => (await sut.published('conversation.reply.requested.v1', customer)).length === 1, 'the reply');
    const { cursor } = await drain((await read(null)).cursor);
    const waiting = read(cursor, 'wait=10');
    await sut.publish('wa.outbound.v1', 'whatsapp.reply.accepted.v1', customer.subjectId, {
      ...{ sendId: String(row?.['send_id']), replyId: body.id, conversationId: sut.conversation(customer) },
      ...{ phoneNumberId: sut.origin().phoneNumberId, attempt: 1, kind: 'text', messageRef },
    });
    const page = await waiting;
    expect(page.items).toEqual([
      {
        id: expect.any(String),
        type: 'conversation.reply.status',
        streamId: sut.conversation(customer),
        version: expect.stringMatching(/^\d+$/),
        at: expect.any(String),
      },
    ]);

    await sut.status(customer, { messageRef, status: 'read' });
    await sut.settled('wa.inbound.v1');
    const next = await drain(page.cursor);
    expect(ofStatuses(next.items)).toMatchObject([{ streamId: sut.conversation(customer) }]);
    // What changes nothing of what is shown is no news: a late step, the same again, a status of somebody else's message.
    await sut.status(customer, { messageRef, status: 'sent' });
    await sut.status(customer, { messageRef, status: 'read' });
    await sut.status(customer, { messageRef: await sut.ref('wamid.stranger'), status: 'read' });
    await sut.settled('wa.inbound.v1');
    expect((await drain(next.cursor)).items).toEqual([]);
  });

  it('tells of a status that came before its message had a name, once the name is known', async () => {
    const { customer, agent, path } = await sut.talking();
    const { body } = await sut.call<{ id: string }>(
      agent,
      'POST',
      `${path}/replies`,
      { kind: 'text', text: 'Hola' },
      { 'if-match': '1.0' },
    );
    const [row] = await sut.rows('thread_item', 'item_id', body.id);
    const messageRef = await sut.ref(`wamid.${body.id}`);
    await sut.status(customer, { messageRef, status: 'sent' });
    await sut.settled('wa.inbound.v1');
    await sut.seen(async () => (await sut.published('conversation.reply.requested.v1', customer)).length === 1, 'the reply');
    const { cursor } = await drain((await read(null)).cursor);
    await sut.status(customer, {
      messageRef,
      status: 'sent',
      sendId: String(row?.['send_id']),
      providerTime: new Date(0).toISOString(),
    });
    await sut.settled('wa.inbound.v1');
    expect(ofStatuses((await drain(cursor)).items)).toMatchObject([{ streamId: sut.conversation(customer) }]);
  });

  it('gives each conversation once to who was away, and all of them over pages of any size', async () => {
    const { cursor } = await drain((await read(null)).cursor);
    const conversations = Array.from({ length: 7 }, () => randomUUID());
    for (let round = 0; round < 3; round += 1) for (const [index, id] of conversations.entries()) await point(index % 3, id);
    const whole = await drain(cursor);
    expect(whole.items.map(({ streamId }) => streamId).sort()).toEqual([...conversations].sort());
    const paged = await drain(cursor, 2);
    expect(paged.items.map(({ streamId }) => streamId).sort()).toEqual([...conversations].sort());
    expect((await drain(paged.cursor)).items).toEqual([]);
  });

  it('says that a cursor is gone when the database knows less than it once gave, as after a restore', async () => {
    await point(2, randomUUID());
    const { cursor } = await read(null);
    const place = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { events: string; replies: Record<string, string> };
    const ask = async (replies: Record<string, string>): Promise<[number, string | undefined]> => {
      const ahead = Buffer.from(JSON.stringify({ ...place, replies })).toString('base64url');
      const actor = { tenantId: sut.tenantId, roles: ['platform'] as const };
      const { status, body } = await sut.call<{ code?: string }>(actor, 'GET', `/v1/feed?cursor=${ahead}`);
      return [status, body.code];
    };
    expect(await ask(place.replies)).toEqual([200, undefined]);
    expect(await ask({ ...place.replies, 2: '999999' })).toEqual([410, 'CURSOR_GONE']);
    expect(await ask({ ...place.replies, 31: '1' })).toEqual([410, 'CURSOR_GONE']);
  });

  it('passes over nothing that is committed later: numbers of a lane become visible in order', async () => {
    const { cursor } = await drain((await read(null)).cursor);
    const [slow, fast] = [randomUUID(), randomUUID()];
    const held = Promise.withResolvers<undefined>();
    const pointed = Promise.withResolvers<undefined>();
    const { db } = sut.service.deps;
    const first = db.withTenant(sut.tenantId, async (tx: Tx) => {
      inOneTrip(tx, pointersTo(3, [change(slow)]));
      // What is sent together is not awaited, but in order: when this is answered, the lane is held.
      await tx.query('select 1');
      pointed.resolve(undefined);
      await held.promise;
    });
    await pointed.promise;
    const second = point(3, fast);
    await sut.seen(async () => {
      const { rows } = await sut.sql.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%reply_pointer_head%'`,
      );
      return rows.length > 0;
    }, 'the second waits for the lane');
    const between = await drain(cursor);
    expect(between.items).toEqual([]);
    held.resolve(undefined);
    await Promise.all([first, second]);
    expect((await drain(between.cursor)).items.map(({ streamId }) => streamId)).toEqual([slow, fast]);
  });

  it('refuses a foreign cursor', async () => {
    const actor = { tenantId: sut.tenantId, roles: ['platform'] as const };
    expect(await sut.call(actor, 'GET', '/v1/feed?cursor=nonsense')).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED' },
    });
  });

  it('keeps a cursor short enough to be carried, with every lane in it', async () => {
    for (let partition = 0; partition < 16; partition += 1)
      for (const topic of ['wa.inbound.v1', 'wa.outbound.v1']) await point(laneOf({ topic, partition }), randomUUID());
    const cursor = await db(conversationFeed.head);
    expect(cursor.length).toBeLessThan(1000);
  });
});

const db = <Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> => sut.service.deps.db.withTenant(sut.tenantId, work);
